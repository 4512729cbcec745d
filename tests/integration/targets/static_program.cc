// A static executable: it has no loader that could preload anything.
int main() {
  return 0;
}
