// SPDX-License-Identifier: Apache-2.0
// Preloaded by handshakes.cpp: counts how often a program makes an SSL_CTX, and writes the number to the file that
// MRASCHECK_BENCH_CONTEXTS names when it ends.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

struct OSSL_LIB_CTX;
struct SSL_CTX;
struct SSL_METHOD;

static std::atomic<int> made{0};

template <class Function>
static Function* genuine(const char* name) {
  static void* const library = dlopen("libssl.so.3", RTLD_LAZY);
  return reinterpret_cast<Function*>(dlsym(library, name));
}

extern "C" SSL_CTX* SSL_CTX_new(const SSL_METHOD* method) {
  static auto* const make = genuine<SSL_CTX*(const SSL_METHOD*)>("SSL_CTX_new");
  ++made;
  return make(method);
}

extern "C" SSL_CTX* SSL_CTX_new_ex(OSSL_LIB_CTX* context, const char* properties, const SSL_METHOD* method) {
  static auto* const make = genuine<SSL_CTX*(OSSL_LIB_CTX*, const char*, const SSL_METHOD*)>("SSL_CTX_new_ex");
  ++made;
  return make(context, properties, method);
}

__attribute__((destructor)) static void write_down() {
  const char* const path = std::getenv("MRASCHECK_BENCH_CONTEXTS");
  std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%d\n", made.load());
  std::fclose(file);
}
