// A plugin that is linked with late_ring.
struct io_uring;
extern "C" int io_uring_submit(struct io_uring* ring);

extern "C" int ask_the_ring() {
  return io_uring_submit(nullptr) + 100;
}
