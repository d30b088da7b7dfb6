// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/mras.hpp"
#include "core/relay.hpp"
#include "core/site.hpp"

namespace mrascheck::sip {

inline constexpr std::string_view mras_content_type = "application/msrtc-media-relay-auth+xml";
inline constexpr std::string_view mras_namespace = "http://schemas.microsoft.com/2006/09/sip/mrasp";
inline constexpr std::string_view mras_version = "2.0";

inline constexpr std::size_t max_relays = 256;
inline constexpr std::size_t max_xml_depth = 16;
inline constexpr std::size_t max_xml_markup = 65'536;  ///< '<' in one body

struct CredentialsRequest {
  std::string id;    ///< requestID and credentialsRequestID, as Lync 2010 sends them: one number for both
  std::string to;    ///< URI of the MRAS service
  std::string from;  ///< URI of the user, also the identity
  std::string version{mras_version};
  MrasLocation location = MrasLocation::intranet;
  std::chrono::minutes duration{480};
};

/// The request document of [MS-AVEDGEA]; its versions differ in their number alone. Characters that XML cannot hold are
/// left out.
std::string credentials_request(const CredentialsRequest& request);

/// Reads a response document into the body part of `exchange` (body_present to credentials_well_formed); what could not
/// be read, and an answer to another id than `id`, goes to `problem`, joined with "; "; credentials for another id are
/// not taken for ours. Elements are told by their
/// local names: a missing or unknown namespace and unknown elements are no problem. `body` is wiped, and so is all
/// memory that the XML library used: user name and password do not outlive the call but in `keep`, where there is one,
/// and they are well formed and ours.
void read_credentials_response(std::string&& body, std::string_view id, MrasExchange& exchange,
                               RelayCredentials* keep = nullptr);

}  // namespace mrascheck::sip
