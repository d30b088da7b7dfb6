// SPDX-License-Identifier: Apache-2.0
// Private to the room.
#pragma once

#include "stores/collector.hpp"

namespace mrascheck::stores {

/// Whether `content` begins with an element: an id of 1 to FFFF, the encoding 1, and not what DER begins with.
bool begins_with_element(Bytes content);

/// The elements of one registry Blob: properties, then the certificate. `model` is what its key says of it.
void read_blob(Bytes content, const FoundEntry& model, Collector& into);

}  // namespace mrascheck::stores
