// SPDX-License-Identifier: Apache-2.0
#include "core/what_if.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace mrascheck {
namespace {

using Chain = std::vector<CertificateRef>;

/// Takes `gone` from behind the first certificate, which is the server's own.
void cut(Chain& chain, const std::set<Sha256>& gone) {
  if (chain.empty()) return;
  chain.erase(std::remove_if(chain.begin() + 1, chain.end(),
                             [&](const CertificateRef& certificate) { return gone.contains(certificate->sha256); }),
              chain.end());
}

void put(Evidence& evidence, const Addition& addition) {
  const bool self_signed = addition.certificate->may_be_self_signed();
  for (StoreContents& contents : evidence.stores) {
    if (is_fetched(contents.store)) continue;  // nobody's store
    const StoreSpec* spec = evidence.site.store(contents.store);
    const StoreKind kind = spec == nullptr ? StoreKind::mixed : spec->kind;
    const bool open = kind == StoreKind::mixed || (spec != nullptr && spec->directory);
    const bool fits = open || kind == (self_signed ? StoreKind::root : StoreKind::intermediate);
    if (addition.store.empty() ? !fits : addition.store != contents.store) continue;
    const StoreKind as = open ? (self_signed ? StoreKind::root : StoreKind::intermediate) : kind;
    contents.entries.push_back({addition.certificate, as, addition.place, 0});
  }
}

template <class Visit>
void each_certificate(const Evidence& evidence, const Visit& visit) {
  const auto all = [&](const Chain& chain) { std::for_each(chain.begin(), chain.end(), visit); };
  for (const StoreContents& contents : evidence.stores) {
    for (const StoreEntry& entry : contents.entries) visit(entry.certificate);
  }
  for (const Identity& identity : evidence.identities) {
    if (identity.certificate) visit(identity.certificate);
    all(identity.chain);
  }
  for (const Handshake& handshake : evidence.handshakes) {
    all(handshake.peer_chain);
    all(handshake.sent_chain);
  }
}

}  // namespace

Evidence changed(const Evidence& evidence, const Change& change) {
  Evidence copy = evidence;
  if (change.at) copy.collected_at = *change.at;
  for (StoreContents& contents : copy.stores) {
    std::erase_if(contents.entries, [&](const StoreEntry& entry) {
      const bool stays = entry.kind == StoreKind::enrollment || entry.kind == StoreKind::disallowed;
      return !stays && change.remove.contains(entry.certificate->sha256);
    });
  }
  for (const Addition& addition : change.add) put(copy, addition);
  for (Identity& identity : copy.identities) {
    std::erase_if(identity.chain, [&](const CertificateRef& one) { return change.remove.contains(one->sha256); });
  }
  for (Handshake& handshake : copy.handshakes) {
    cut(handshake.peer_chain, change.remove);
    cut(handshake.sent_chain, change.remove);
    const Server* from = copy.site.server(handshake.from);
    const bool rebuilt = from != nullptr && from->chain == ChainMode::from_stores &&
                         std::any_of(copy.identities.begin(), copy.identities.end(), [&](const Identity& identity) {
                           return identity.server == from->name && identity.certificate;
                         });
    if (rebuilt) handshake.sent_chain.clear();
  }
  return copy;
}

Result<std::vector<ChangeWord>> parse_change(const std::string& text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      parts.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      parts.back() += text[i++];
    } else {
      parts.emplace_back();
    }
  }
  std::vector<ChangeWord> words;
  for (const std::string& part : parts) {
    const std::size_t colon = part.find(':');
    const std::string verb = part.substr(0, colon);
    const std::string value = colon == std::string::npos ? "" : part.substr(colon + 1);
    using enum ChangeWord::Kind;
    const bool known = verb == "remove" || verb == "add" || verb == "at";
    if (!known || value.empty()) {
      return fail(ErrorKind::config,
                  fmt::format("--what-if '{}': it is remove:THUMBPRINT, add:FILE or at:DATE", printable(part, 80)));
    }
    words.push_back({verb == "remove" ? remove : verb == "add" ? add : at, value});
  }
  return words;
}

Result<CertificateRef> by_thumbprint(const Evidence& evidence, const std::string& text) {
  const ByteString digest = from_hex(text);
  if (digest.size() != Sha1{}.size() && digest.size() != Sha256{}.size()) {
    return fail(ErrorKind::config, fmt::format("'{}' is no thumbprint: 40 hexadecimal digits (SHA-1) or 64 (SHA-256)",
                                               printable(text, 80)));
  }
  CertificateRef found;
  each_certificate(evidence, [&](const CertificateRef& certificate) {
    const bool same = digest.size() == certificate->thumbprint.size()
                          ? std::equal(digest.begin(), digest.end(), certificate->thumbprint.begin())
                          : std::equal(digest.begin(), digest.end(), certificate->sha256.begin());
    if (same) found = certificate;
  });
  if (!found) {
    return fail(ErrorKind::config,
                fmt::format("no certificate that was seen has the thumbprint {}", to_upper_hex(digest)));
  }
  return found;
}

}  // namespace mrascheck
