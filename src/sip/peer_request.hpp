// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "sip/message.hpp"

namespace mrascheck::sip {

/// Why a request is malformed, though its end could be found (RFC 3261, 21.4.1); empty when it is not.
std::string malformed(const Message& request);

/// What a request of the peer's own is answered with by an end that knows OPTIONS and nothing else (RFC 3261, 8.2 and
/// 11.2): 200 for that, 405 for other methods, 481 for a CANCEL, 400 for what is malformed, 505 for another version of
/// SIP, 416 for a URI that is neither sip nor sips, 420 for extensions that are required. Empty for an ACK, and for
/// what has no Via to be answered by.
std::string answer_to_request(const Message& request, std::string_view local_tag);

}  // namespace mrascheck::sip
