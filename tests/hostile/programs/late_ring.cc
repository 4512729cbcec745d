// Plays a library that the recorder knows by name, and that comes and goes with a plugin.
struct io_uring;

extern "C" int io_uring_submit(struct io_uring* ring) {
  return ring == nullptr ? 17 : 18;
}
