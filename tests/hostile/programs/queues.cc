// System V and POSIX message queues and semaphores, and asynchronous input and output: waits that
// succeed, that run out of time, that are interrupted and that lose what they wait for.
#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "answers.h"

using namespace hostile;

namespace {

struct Message {
  long type;
  char text[16];
};

void on_alarm(int) {}

// Only the first signal counts: the later ones are for a caller that had not begun to wait.
template <typename Wait>
void interrupted(const char* what, Wait wait) {
  handle(SIGALRM, on_alarm, 0);
  alarm_every_ms(15);
  errno = kUntouched;
  const long result = wait();
  const int error = errno;
  alarm_every_ms(0);
  say("%s interrupted = %ld, errno %d\n", what, result, error);
}

void system_v_messages() {
  const int queue = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
  Message message = {3, "third"};
  Message got{};
  REPORT(msgsnd(queue, &message, 6, 0));
  message = {2, "second"};
  REPORT(msgsnd(queue, &message, 7, IPC_NOWAIT));
  REPORT(msgsnd(queue, &message, static_cast<size_t>(-1), 0));
  message.type = 0;
  REPORT(msgsnd(queue, &message, 7, 0));
  REPORT(msgrcv(queue, &got, sizeof got.text, 2, 0));
  say("  %ld %s\n", got.type, got.text);
  REPORT(msgrcv(queue, &got, 2, 0, 0));
  REPORT(msgrcv(queue, &got, 2, 0, MSG_NOERROR));
  REPORT(msgrcv(queue, &got, sizeof got.text, 0, IPC_NOWAIT));
  REPORT(msgrcv(-1, &got, sizeof got.text, 0, 0));
  interrupted("msgrcv", [&] { return msgrcv(queue, &got, sizeof got.text, 0, 0); });
  const pid_t child = fork();
  if (child == 0) {
    REPORT(msgrcv(queue, &got, sizeof got.text, -5, 0));
    say("  %ld %s\n", got.type, got.text);
    // Until the queue is taken away.
    REPORT(msgrcv(queue, &got, sizeof got.text, 0, 0));
    _exit(3);
  }
  until_asleep(child);
  message = {4, "to a child"};
  msgsnd(queue, &message, sizeof message.text, 0);
  msqid_ds status;
  do {
    usleep(1000);
    msgctl(queue, IPC_STAT, &status);
  } while (status.msg_qnum > 0);
  until_asleep(child);
  msgctl(queue, IPC_RMID, nullptr);
  say_ending("reader", wait_for(child));
  REPORT(msgsnd(queue, &message, 6, 0));
}

void system_v_semaphores() {
  const int set = semget(IPC_PRIVATE, 2, 0600 | IPC_CREAT);
  sembuf take = {0, -1, 0};
  sembuf both[] = {{0, 1, 0}, {1, 2, 0}};
  const timespec little = {0, 5000000};
  REPORT(semop(set, both, 2));
  REPORT(semop(set, &take, 1));
  REPORT(semtimedop(set, &take, 1, &little));
  take.sem_flg = IPC_NOWAIT;
  REPORT(semop(set, &take, 1));
  REPORT(semop(set, &take, 0));
  take = {9, -1, 0};
  REPORT(semop(set, &take, 1));
  take = {0, -1, 0};
  REPORT(semop(-1, &take, 1));
  interrupted("semop", [&] { return semop(set, &take, 1); });
  const timespec long_time = {100, 0};
  interrupted("semtimedop", [&] { return semtimedop(set, &take, 1, &long_time); });
  const pid_t child = fork();
  if (child == 0) {
    REPORT(semop(set, &take, 1));
    REPORT(semtimedop(set, &take, 1, &long_time));
    _exit(4);
  }
  sembuf give = {0, 1, 0};
  semop(set, &give, 1);
  while (semctl(set, 0, GETNCNT) < 1 || semctl(set, 0, GETVAL) > 0) usleep(1000);
  semctl(set, 0, IPC_RMID);
  say_ending("waiter", wait_for(child));
}

void posix_messages() {
  char name[64];
  snprintf(name, sizeof name, "/tailback-hostile-%d", getpid());
  mq_attr attributes{};
  attributes.mq_maxmsg = 2;
  attributes.mq_msgsize = 16;
  const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  if (queue == static_cast<mqd_t>(-1)) {
    say("mq_open: errno %d\n", errno);
    return;
  }
  say("again %d", mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, nullptr));
  say(" errno %d\n", errno);
  say("absent %d", mq_open("/tailback-no-such-queue", O_RDONLY));
  say(" errno %d\n", errno);
  const mqd_t second = mq_open(name, O_RDONLY);
  REPORT(mq_close(second));
  char text[16] = "";
  unsigned priority = 0;
  const timespec past = {1, 0};
  const timespec bad = {1, -1};
  const timespec soon = deadline_in_ms(CLOCK_REALTIME, 5);
  REPORT(mq_send(queue, "low", 4, 1));
  REPORT(mq_send(queue, "high", 5, 9));
  REPORT(mq_timedsend(queue, "full", 5, 1, &soon));
  REPORT(mq_timedsend(queue, "full", 5, 1, &bad));
  REPORT(mq_send(queue, "much too long a text", 20, 1));
  REPORT(mq_receive(queue, text, sizeof text, &priority));
  say("  %s %u\n", text, priority);
  REPORT(mq_receive(queue, text, 1, &priority));
  REPORT(mq_timedreceive(queue, text, sizeof text, nullptr, &bad));
  say("  %s\n", text);
  REPORT(mq_timedreceive(queue, text, sizeof text, nullptr, &past));
  interrupted("mq_receive", [&] { return mq_receive(queue, text, sizeof text, nullptr); });
  REPORT(mq_receive(-1, text, sizeof text, nullptr));
  REPORT(mq_getattr(queue, &attributes));
  say("  messages %ld of %ld\n", attributes.mq_curmsgs, attributes.mq_maxmsg);
  REPORT(mq_unlink(name));
  REPORT(mq_close(queue));
}

void posix_semaphores() {
  char name[64];
  snprintf(name, sizeof name, "/tailback-hostile-%d", getpid());
  sem_t* semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
  REPORT(sem_open(name, O_CREAT | O_EXCL, 0600, 1));
  REPORT(sem_open("/tailback-no-such-semaphore", 0));
  const pid_t child = fork();
  if (child == 0) {
    sem_t* mine = sem_open(name, 0);
    sem_wait(mine);
    sem_wait(mine);
    _exit(5);
  }
  until_asleep(child);
  REPORT(sem_post(semaphore));
  say_ending("waiter", wait_for(child));
  const timespec soon = deadline_in_ms(CLOCK_MONOTONIC, 5);
  REPORT(sem_clockwait(semaphore, CLOCK_MONOTONIC, &soon));
  interrupted("sem_wait", [&] { return sem_wait(semaphore); });
  REPORT(sem_close(semaphore));
  REPORT(sem_unlink(name));
}

void asynchronous() {
  Pipe pipe;
  char text[16] = "";
  aiocb reading{};
  reading.aio_fildes = pipe.out();
  reading.aio_buf = text;
  reading.aio_nbytes = sizeof text;
  reading.aio_sigevent.sigev_notify = SIGEV_NONE;
  const aiocb* list[] = {nullptr, &reading};
  const timespec little = {0, 5000000};
  REPORT(aio_read(&reading));
  REPORT(aio_error(&reading));
  REPORT(aio_suspend(list, 2, &little));
  interrupted("aio_suspend", [&] { return aio_suspend(list, 2, nullptr); });
  (void)!write(pipe.in(), "later", 6);
  REPORT(aio_suspend(list, 2, nullptr));
  REPORT(aio_error(&reading));
  REPORT(aio_return(&reading));
  say("  %s\n", text);
  const int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  char one[] = "one";
  char two[] = "two";
  aiocb writes[2]{};
  for (int i = 0; i < 2; ++i) {
    writes[i].aio_fildes = file;
    writes[i].aio_buf = i ? two : one;
    writes[i].aio_nbytes = 3;
    writes[i].aio_offset = 3 * i;
    writes[i].aio_lio_opcode = LIO_WRITE;
    writes[i].aio_sigevent.sigev_notify = SIGEV_NONE;
  }
  aiocb* both[] = {&writes[0], nullptr, &writes[1]};
  REPORT(lio_listio(LIO_WAIT, both, 3, nullptr));
  REPORT(lio_listio(99, both, 3, nullptr));
  REPORT(aio_return(&writes[0]));
  aiocb flushing{};
  flushing.aio_fildes = file;
  flushing.aio_sigevent.sigev_notify = SIGEV_NONE;
  REPORT(aio_fsync(O_SYNC, &flushing));
  const aiocb* flush[] = {&flushing};
  while (aio_error(&flushing) == EINPROGRESS) aio_suspend(flush, 1, nullptr);
  REPORT(aio_return(&flushing));
  REPORT(aio_cancel(file, nullptr));
  memset(text, 0, sizeof text);
  REPORT(pread(file, text, sizeof text, 0));
  say("  %s\n", text);
  writes[0].aio_fildes = -1;
  REPORT(lio_listio(LIO_WAIT, both, 3, nullptr));
  REPORT(aio_error(&writes[0]));
  close(file);
  unlink("file");
}

}  // namespace

int main() {
  system_v_messages();
  system_v_semaphores();
  posix_messages();
  posix_semaphores();
  asynchronous();
  say("done\n");
}
