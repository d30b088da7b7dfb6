// SPDX-License-Identifier: Apache-2.0
// Preloaded by handshakes.cpp: counts how often a program makes an SSL_CTX, and writes the number to the file that
// MRASCHECK_BENCH_CONTEXTS names when it ends.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

struct SSL_CTX;
struct SSL_METHOD;

static std::atomic<int> made{0};

extern "C" SSL_CTX* SSL_CTX_new(const SSL_METHOD* method) {
  using Make = SSL_CTX* (*)(const SSL_METHOD*);
  static void* const library = dlopen("libssl.so.3", RTLD_LAZY);
  static const auto make = reinterpret_cast<Make>(dlsym(library, "SSL_CTX_new"));
  ++made;
  return make(method);
}

__attribute__((destructor)) static void write_down() {
  const char* const path = std::getenv("MRASCHECK_BENCH_CONTEXTS");
  std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%d\n", made.load());
  std::fclose(file);
}
