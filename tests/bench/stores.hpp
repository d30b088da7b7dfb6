// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mrascheck::bench {

void stores();        ///< PEM, PKCS#7, .sst and a directory against the floor of each, and against d2i_X509
void store_shapes();  ///< one subject, one certificate, a tenth as many
void store_threads();
void store_fleet();  ///< a thousand exports of the same certificates
void mesh();         ///< certification paths where all have cross-signed all

}  // namespace mrascheck::bench
