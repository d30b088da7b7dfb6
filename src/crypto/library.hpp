// SPDX-License-Identifier: Apache-2.0
// Private to the crypto room.
#pragma once

#include <openssl/types.h>

namespace mrascheck::crypto {

/// What TLS is to use: the algorithms of OpenSSL's default provider, and of its decoders those alone that read the key
/// of a certificate. Whenever OpenSSL 3.0 decodes a certificate it goes through all decoders there are, and most of the
/// time that a handshake takes beside its arithmetic is spent on the nine tenths that read something else. Null, which
/// stands for the default library context, when it cannot be had, and until many handshakes are expected
/// (tls_engine.hpp), for it takes a millisecond to set up. Lives until the end.
OSSL_LIB_CTX* tls_library();

}  // namespace mrascheck::crypto
