// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "core/evidence.hpp"

namespace mrascheck::json {

/// An enumeration's value as it stands in documents; the core's own word where it has one.
template <class E>
std::string_view to_word(E value) {
  return to_string(value);
}

template <>
inline std::string_view to_word(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config:
      return "config";
    case ErrorKind::local:
      return "local";
    case ErrorKind::unreachable:
      return "unreachable";
    case ErrorKind::timed_out:
      return "timed-out";
    case ErrorKind::rejected_by_peer:
      return "rejected-by-peer";
    case ErrorKind::rejected_by_us:
      return "rejected-by-us";
    case ErrorKind::malformed:
      return "malformed";
    case ErrorKind::bug:
      return "bug";
  }
  return "bug";
}

template <>
inline std::string_view to_word(SignatureState state) {
  return state == SignatureState::verified ? "verified" : "failed";
}

/// Every value that a document may hold of an enumeration.
template <class E>
inline constexpr std::array<E, 0> all_of{};
template <>
inline constexpr std::array all_of<Role>{Role::front_end, Role::edge};
template <>
inline constexpr std::array all_of<Service>{Service::mras, Service::sip, Service::tls};
template <>
inline constexpr std::array all_of<Expectation>{Expectation::accept, Expectation::refuse};
template <>
inline constexpr std::array all_of<ChainMode>{ChainMode::as_given, ChainMode::from_stores};
template <>
inline constexpr std::array all_of<MrasLocation>{MrasLocation::intranet, MrasLocation::internet, MrasLocation::both};
template <>
inline constexpr std::array all_of<Profile>{Profile::ocs2007r2, Profile::lync2010, Profile::lync2013, Profile::sfb};
template <>
inline constexpr std::array all_of<TlsVersion>{TlsVersion::tls_1_0, TlsVersion::tls_1_1, TlsVersion::tls_1_2,
                                               TlsVersion::tls_1_3};
template <>
inline constexpr std::array all_of<TrialKind>{TrialKind::none,       TrialKind::foreign_ca,  TrialKind::stale_ca,
                                              TrialKind::expired,    TrialKind::server_only, TrialKind::leaf_only,
                                              TrialKind::full_chain, TrialKind::with_root,   TrialKind::from_stores};
template <>
inline constexpr std::array all_of<RelayTransport>{RelayTransport::udp, RelayTransport::tcp};
template <>
inline constexpr std::array all_of<RelayDialect>{RelayDialect::ms_turn, RelayDialect::standard};
template <>
inline constexpr std::array all_of<RelayOutcome>{RelayOutcome::accepted,       RelayOutcome::credentials_rejected,
                                                 RelayOutcome::error,          RelayOutcome::not_a_relay,
                                                 RelayOutcome::no_answer,      RelayOutcome::refused,
                                                 RelayOutcome::unreachable,    RelayOutcome::closed,
                                                 RelayOutcome::name_not_found, RelayOutcome::not_asked,
                                                 RelayOutcome::local_failure};
template <>
inline constexpr std::array all_of<StoreKind>{StoreKind::intermediate, StoreKind::root,       StoreKind::ntauth,
                                              StoreKind::enrollment,   StoreKind::disallowed, StoreKind::mixed};
template <>
inline constexpr std::array all_of<StoreOrigin>{
    StoreOrigin::unknown,      StoreOrigin::local,      StoreOrigin::user,     StoreOrigin::service,
    StoreOrigin::group_policy, StoreOrigin::enterprise, StoreOrigin::directory};
template <>
inline constexpr std::array all_of<RevocationMode>{RevocationMode::soft, RevocationMode::hard};
template <>
inline constexpr std::array all_of<OcspStatus>{OcspStatus::good, OcspStatus::revoked, OcspStatus::unknown};
template <>
inline constexpr std::array all_of<OcspSigner>{OcspSigner::issuer, OcspSigner::delegate, OcspSigner::nobody};
template <>
inline constexpr std::array all_of<Phase>{Phase::connect, Phase::tls, Phase::confirm, Phase::sip, Phase::done};
template <>
inline constexpr std::array all_of<Outcome>{Outcome::completed,        Outcome::refused,        Outcome::unreachable,
                                            Outcome::timed_out,        Outcome::reset,          Outcome::closed,
                                            Outcome::rejected_by_peer, Outcome::rejected_by_us, Outcome::not_tls,
                                            Outcome::not_sip,          Outcome::local_failure};
template <>
inline constexpr std::array all_of<Needs>{Needs::stores,     Needs::identities, Needs::names, Needs::handshakes,
                                          Needs::signatures, Needs::versions,   Needs::traces};
template <>
inline constexpr std::array all_of<PatchSource>{PatchSource::report, PatchSource::registry};
template <>
inline constexpr std::array all_of<TraceOutcome>{TraceOutcome::granted,    TraceOutcome::failed,
                                                 TraceOutcome::unanswered, TraceOutcome::unfinished,
                                                 TraceOutcome::challenged, TraceOutcome::unclear};
template <>
inline constexpr std::array all_of<SignatureState>{SignatureState::verified, SignatureState::failed};
template <>
inline constexpr std::array all_of<ErrorKind>{
    ErrorKind::config,           ErrorKind::local,          ErrorKind::unreachable, ErrorKind::timed_out,
    ErrorKind::rejected_by_peer, ErrorKind::rejected_by_us, ErrorKind::malformed,   ErrorKind::bug};

}  // namespace mrascheck::json
