// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/certificate.hpp"
#include "core/store.hpp"

/// What Windows and directories export their certificate stores as, beside certificate files: bytes to the DER of each
/// certificate and what stands about it. Nothing is decoded here but the wrapping.
namespace mrascheck::stores {

enum class Format {
  serialized_store,  ///< .sst: 00 00 00 00 "CERT" ([MS-GPEF], 2.2.1.1.1)
  registry_blob,     ///< the bytes of one registry value `Blob`, of the same layout
  registry_export,   ///< .reg, version 5 or REGEDIT4
  registry_policy,   ///< Registry.pol ([MS-GPREG], 2.2.1)
  ldif,              ///< RFC 2849
  certutil_text,     ///< what certutil -store prints, in any language
};
std::string_view to_string(Format format);  ///< "a serialized store (.sst)"

/// By content alone; nothing for everything else.
std::optional<Format> recognise(Bytes content);

/// One certificate, not yet decoded, and what the store says of it.
struct FoundEntry {
  Bytes der;                      ///< lasts until the sink returns
  std::string where;              ///< in the file, printable: "certificate 3", "ROOT\Certificates\A1B2..."
  std::string dn;                 ///< LDIF: its place, printable, instead of the file; else empty
  std::size_t index = 0;          ///< LDIF: the value's number in the entry, from 0
  std::optional<StoreKind> kind;  ///< where the export itself says what the store is for; never mixed
  EntryProperties properties;
  std::optional<Sha1> sha1_property;    ///< the thumbprint by its property 3
  std::optional<std::string> key_name;  ///< the registry key's name, printable; the thumbprint where all is well
};
using Sink = std::function<void(const FoundEntry&)>;

struct Reading {
  std::vector<Unreadable> unreadable;  ///< place: the DN in an LDIF, else empty
  std::vector<std::string> remarks;    ///< "2 revocation lists passed over"
  std::string truncated;               ///< why the certificates that it speaks of are not all in it; mostly empty
};

/// Hands every certificate of `content` to `sink`, in its order; at most 200,000. A damaged part is one Unreadable, and
/// what stands behind it is read all the same. Nothing when the format is none of the above.
std::optional<Reading> read_store(Bytes content, const Sink& sink);

/// What the store says of an entry and its certificate contradicts; empty when all is well.
std::vector<std::string> contradictions(const FoundEntry& entry, const Certificate& certificate);

}  // namespace mrascheck::stores
