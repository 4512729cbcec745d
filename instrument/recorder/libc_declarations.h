// libc's declarations of every function in the table, so that the compiler checks the table.
#pragma once

// The headers declare sigpause as the X/Open function of that name, and scanf and its family as the
// ISO C99 ones. The table needs each symbol as itself.
#include <features.h>
#undef __GLIBC_USE_DEPRECATED_SCANF
#define __GLIBC_USE_DEPRECATED_SCANF 1
#define sigpause sigpause_as_declared

#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <iconv.h>
#include <mqueue.h>
#include <netdb.h>
#include <nl_types.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <resolv.h>
#include <semaphore.h>
#include <shadow.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <utmpx.h>
#include <wchar.h>
#include <wordexp.h>

#undef sigpause
#undef res_nquery
#undef res_nquerydomain
#undef res_nsearch
#undef res_nsend
#undef res_query
#undef res_querydomain
#undef res_search
#undef res_send

extern "C" {

// The fortified twins, which libc's headers declare only under _FORTIFY_SOURCE.
ssize_t __read_chk(int, void*, size_t, size_t);
ssize_t __pread_chk(int, void*, size_t, off_t, size_t);
ssize_t __pread64_chk(int, void*, size_t, off64_t, size_t);
ssize_t __recv_chk(int, void*, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void*, size_t, size_t, int, struct sockaddr*, socklen_t*);
int __poll_chk(struct pollfd*, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd*, nfds_t, const struct timespec*, const sigset_t*, size_t);
int __open_2(const char*, int);
int __open64_2(const char*, int);
int __openat_2(int, const char*, int);
int __openat64_2(int, const char*, int);
ssize_t __readlink_chk(const char*, char*, size_t, size_t) noexcept;
ssize_t __readlinkat_chk(int, const char*, char*, size_t, size_t) noexcept;
char* __realpath_chk(const char*, char*, size_t) noexcept;
char* __getcwd_chk(char*, size_t, size_t) noexcept;
char* __getwd_chk(char*, size_t) noexcept;
int __getlogin_r_chk(char*, size_t, size_t);
int __ttyname_r_chk(int, char*, size_t, size_t) noexcept;
size_t __fread_chk(void*, size_t, size_t, size_t, FILE*);
size_t __fread_unlocked_chk(void*, size_t, size_t, size_t, FILE*);
char* __fgets_chk(char*, size_t, int, FILE*);
char* __fgets_unlocked_chk(char*, size_t, int, FILE*);
char* __gets_chk(char*, size_t);
wchar_t* __fgetws_chk(wchar_t*, size_t, int, FILE*);
wchar_t* __fgetws_unlocked_chk(wchar_t*, size_t, int, FILE*);
int __printf_chk(int, const char*, ...);
int __fprintf_chk(FILE*, int, const char*, ...);
int __vprintf_chk(int, const char*, va_list);
int __vfprintf_chk(FILE*, int, const char*, va_list);
int __dprintf_chk(int, int, const char*, ...);
int __vdprintf_chk(int, int, const char*, va_list);
int __wprintf_chk(int, const wchar_t*, ...);
int __fwprintf_chk(FILE*, int, const wchar_t*, ...);
int __vwprintf_chk(int, const wchar_t*, va_list);
int __vfwprintf_chk(FILE*, int, const wchar_t*, va_list);
void __syslog_chk(int, int, const char*, ...);
void __vsyslog_chk(int, int, const char*, va_list);

// Other names of functions that the headers declare under one name only.
ssize_t __read(int, void*, size_t);
ssize_t __write(int, const void*, size_t);
ssize_t __pread64(int, void*, size_t, off64_t);
ssize_t __pwrite64(int, const void*, size_t, off64_t);
int __open(const char*, int, ...);
int __open64(const char*, int, ...);
int __close(int);
int __fcntl(int, int, ...);
int __connect(int, const struct sockaddr*, socklen_t);
ssize_t __send(int, const void*, size_t, int);
int __poll(struct pollfd*, nfds_t, int);
int __select(int, fd_set*, fd_set*, fd_set*, struct timeval*);
int __nanosleep(const struct timespec*, struct timespec*);
pid_t __wait(int*);
pid_t __waitpid(pid_t, int*, int);
pid_t __fork() noexcept;
pid_t __vfork() noexcept;
int __statfs(const char*, struct statfs*) noexcept;
int __sigsuspend(const sigset_t*);
int __sigpause(int, int);
int __xpg_sigpause(int);
int sigpause(int);
int __pthread_mutex_lock(pthread_mutex_t*) noexcept;
int __pthread_mutex_trylock(pthread_mutex_t*) noexcept;
int __pthread_mutex_unlock(pthread_mutex_t*) noexcept;
int __pthread_mutex_init(pthread_mutex_t*, const pthread_mutexattr_t*) noexcept;
int __pthread_mutex_destroy(pthread_mutex_t*) noexcept;
int __pthread_rwlock_tryrdlock(pthread_rwlock_t*) noexcept;
int __pthread_rwlock_trywrlock(pthread_rwlock_t*) noexcept;
int __pthread_rwlock_unlock(pthread_rwlock_t*) noexcept;
int __pthread_rwlock_init(pthread_rwlock_t*, const pthread_rwlockattr_t*) noexcept;
int __pthread_rwlock_destroy(pthread_rwlock_t*) noexcept;
int __pthread_rwlock_rdlock(pthread_rwlock_t*) noexcept;
int __pthread_rwlock_wrlock(pthread_rwlock_t*) noexcept;
int __pthread_once(pthread_once_t*, void (*)());
int __underflow(FILE*);
wint_t __wuflow(FILE*);
wint_t __wunderflow(FILE*);
wint_t __woverflow(FILE*, wint_t);
char* gets(char*);
int _IO_getc(FILE*);
int _IO_putc(int, FILE*);
int _IO_puts(const char*);
int _IO_fputs(const char*, FILE*);
char* _IO_fgets(char*, int, FILE*);
char* _IO_gets(char*);
size_t _IO_fread(void*, size_t, size_t, FILE*);
size_t _IO_fwrite(const void*, size_t, size_t, FILE*);
FILE* _IO_fopen(const char*, const char*);
int _IO_fclose(FILE*);
int _IO_fflush(FILE*);
FILE* _IO_popen(const char*, const char*);
long _IO_ftell(FILE*);
int _IO_fgetpos(FILE*, fpos_t*);
int _IO_fgetpos64(FILE*, fpos64_t*);
int _IO_fsetpos(FILE*, const fpos_t*);
int _IO_fsetpos64(FILE*, const fpos64_t*);
int _IO_printf(const char*, ...);
int _IO_fprintf(FILE*, const char*, ...);
int _IO_vfprintf(FILE*, const char*, va_list);
void _IO_flockfile(FILE*) noexcept;
int __isoc99_scanf(const char*, ...);
int __isoc99_fscanf(FILE*, const char*, ...);
int __isoc99_vscanf(const char*, va_list);
int __isoc99_vfscanf(FILE*, const char*, va_list);
int __isoc99_wscanf(const wchar_t*, ...);
int __isoc99_fwscanf(FILE*, const wchar_t*, ...);
int __isoc99_vwscanf(const wchar_t*, va_list);
int __isoc99_vfwscanf(FILE*, const wchar_t*, va_list);
// The same for programs linked with glibc 2.38 or later, which alone has them.
int __isoc23_scanf(const char*, ...);
int __isoc23_fscanf(FILE*, const char*, ...);
int __isoc23_vscanf(const char*, va_list);
int __isoc23_vfscanf(FILE*, const char*, va_list);
int __isoc23_wscanf(const wchar_t*, ...);
int __isoc23_fwscanf(FILE*, const wchar_t*, ...);
int __isoc23_vwscanf(const wchar_t*, va_list);
int __isoc23_vfwscanf(FILE*, const wchar_t*, va_list);
int __vfscanf(FILE*, const char*, va_list);
int res_nquery(res_state, const char*, int, int, unsigned char*, int) noexcept;
int res_nquerydomain(res_state, const char*, const char*, int, int, unsigned char*, int) noexcept;
int res_nsearch(res_state, const char*, int, int, unsigned char*, int) noexcept;
int res_nsend(res_state, const unsigned char*, int, unsigned char*, int) noexcept;
int res_query(const char*, int, int, unsigned char*, int) noexcept;
int res_querydomain(const char*, const char*, int, int, unsigned char*, int) noexcept;
int res_search(const char*, int, int, unsigned char*, int) noexcept;
int res_send(const unsigned char*, int, unsigned char*, int) noexcept;
int __res_nquery(res_state, const char*, int, int, unsigned char*, int) noexcept;
int __res_nquerydomain(res_state, const char*, const char*, int, int, unsigned char*, int) noexcept;
int __res_nsearch(res_state, const char*, int, int, unsigned char*, int) noexcept;
int __res_nsend(res_state, const unsigned char*, int, unsigned char*, int) noexcept;
int __res_query(const char*, int, int, unsigned char*, int) noexcept;
int __res_querydomain(const char*, const char*, int, int, unsigned char*, int) noexcept;
int __res_search(const char*, int, int, unsigned char*, int) noexcept;
int __res_send(const unsigned char*, int, unsigned char*, int) noexcept;

// stat() as programs called it until glibc 2.33.
int __xstat(int, const char*, struct stat*) noexcept;
int __lxstat(int, const char*, struct stat*) noexcept;
int __fxstat(int, int, struct stat*) noexcept;
int __fxstatat(int, int, const char*, struct stat*, int) noexcept;
int __xstat64(int, const char*, struct stat64*) noexcept;
int __lxstat64(int, const char*, struct stat64*) noexcept;
int __fxstat64(int, int, struct stat64*) noexcept;
int __fxstatat64(int, int, const char*, struct stat64*, int) noexcept;
int __xmknod(int, const char*, mode_t, dev_t*) noexcept;
int __xmknodat(int, int, const char*, mode_t, dev_t*) noexcept;

// From <malloc.h>, which is glibc's own.
size_t malloc_usable_size(void*) noexcept;

// A name of signal() that the headers declare for older standards only.
sighandler_t bsd_signal(int, sighandler_t) noexcept;

// liburing's calls that may wait, where the program is linked with it. (The inline functions of its
// header call these.)
struct io_uring;
struct io_uring_cqe;
struct io_uring_params;
struct __kernel_timespec;
int io_uring_submit(struct io_uring*);
int io_uring_submit_and_wait(struct io_uring*, unsigned);
int io_uring_submit_and_wait_timeout(struct io_uring*, struct io_uring_cqe**, unsigned,
                                     struct __kernel_timespec*, sigset_t*);
int io_uring_wait_cqes(struct io_uring*, struct io_uring_cqe**, unsigned, struct __kernel_timespec*,
                       sigset_t*);
int io_uring_wait_cqe_timeout(struct io_uring*, struct io_uring_cqe**, struct __kernel_timespec*);
int __io_uring_get_cqe(struct io_uring*, struct io_uring_cqe**, unsigned, unsigned, sigset_t*);
int io_uring_get_events(struct io_uring*);
int io_uring_submit_and_get_events(struct io_uring*);
int io_uring_enter(unsigned, unsigned, unsigned, unsigned, sigset_t*);
int io_uring_enter2(unsigned, unsigned, unsigned, unsigned, sigset_t*, size_t);
int __io_uring_sqring_wait(struct io_uring*);
int io_uring_setup(unsigned, struct io_uring_params*);
void io_uring_queue_exit(struct io_uring*);

// Not libc's: what the annotation header calls (instrument/annotations/tailback.h).
void tailback_mark_thread(int mark) noexcept;
void tailback_allow_blocking(int begins) noexcept;
void tailback_name_iteration(const char* name) noexcept;
void tailback_name_turn(const char* name) noexcept;
void tailback_wait(int begins) noexcept;
}
