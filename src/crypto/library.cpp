// SPDX-License-Identifier: Apache-2.0
#include "crypto/library.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <array>
#include <atomic>
#include <string_view>
#include <vector>

#include "crypto/openssl.hpp"
#include "crypto/tls_engine.hpp"

namespace mrascheck::crypto {
namespace {

/// provider(7): a provider that hands on what the default one has. OpenSSL gives the functions below the default
/// provider's own context, so what they are about is kept here; it is filled before the first call and then only read.
struct HandedOn {
  OSSL_PROVIDER* from = nullptr;
  std::vector<OSSL_ALGORITHM> decoders;  // and an empty one at the end
};
HandedOn& handed_on() {
  static HandedOn what;
  return what;
}

bool reads_keys_of_certificates(const OSSL_ALGORITHM& decoder) {
  const std::string_view properties = decoder.property_definition;
  return properties.find("input=der") != std::string_view::npos &&
         properties.find("structure=SubjectPublicKeyInfo") != std::string_view::npos;
}

const OSSL_ALGORITHM* query(void* /*context*/, int operation, int* no_store) {
  if (operation != OSSL_OP_DECODER) return OSSL_PROVIDER_query_operation(handed_on().from, operation, no_store);
  *no_store = 0;
  return handed_on().decoders.data();
}

int capabilities(void* /*context*/, const char* capability, OSSL_CALLBACK* callback, void* argument) {
  return OSSL_PROVIDER_get_capabilities(handed_on().from, capability, callback, argument);
}

int begin(const OSSL_CORE_HANDLE* /*core*/, const OSSL_DISPATCH* /*offered*/, const OSSL_DISPATCH** own,
          void** context) {
  using Function = void (*)();
  static const std::array<OSSL_DISPATCH, 3> functions{
      OSSL_DISPATCH{OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<Function>(query)},
      OSSL_DISPATCH{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<Function>(capabilities)}, OSSL_DISPATCH{}};
  *own = functions.data();
  *context = OSSL_PROVIDER_get0_provider_ctx(handed_on().from);
  return 1;
}

OSSL_LIB_CTX* make_library() {
  constexpr const char* name = "mrascheck";
  HandedOn& what = handed_on();
  what.from = OSSL_PROVIDER_load(nullptr, "default");
  if (what.from == nullptr) return nullptr;
  int no_store = 0;
  const OSSL_ALGORITHM* all = OSSL_PROVIDER_query_operation(what.from, OSSL_OP_DECODER, &no_store);
  for (; all != nullptr && all->algorithm_names != nullptr; ++all) {
    if (reads_keys_of_certificates(*all)) what.decoders.push_back(*all);
  }
  if (what.decoders.empty()) return nullptr;
  what.decoders.push_back({});
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  if (library != nullptr && OSSL_PROVIDER_add_builtin(library, name, begin) == 1 &&
      OSSL_PROVIDER_load(library, name) != nullptr)
    return library;
  OSSL_LIB_CTX_free(library);
  ERR_clear_error();
  return nullptr;
}

}  // namespace

static std::atomic<bool> many = false;

void expect_many_handshakes() {
  many = true;
}

OSSL_LIB_CTX* tls_library() {
  if (!many) return nullptr;
  static OSSL_LIB_CTX* const library = make_library();
  return library;
}

}  // namespace mrascheck::crypto
