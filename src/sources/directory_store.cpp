// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "ldap/directory.hpp"
#include "sources/sources.hpp"

namespace mrascheck::sources {

Result<StoreContents> read_directory_store(const StoreSource& source, CertificatePool& pool,
                                           std::chrono::milliseconds step, const Deadline& deadline,
                                           const ldap::NameService& names) {
  Secret password;
  if (source.bind) {
    auto secret = read_secret(source.bind->password);
    if (!secret) return tl::unexpected(secret.error());
    password = std::move(*secret);
  }
  StoreContents contents;
  contents.store = source.name;
  const auto keep = [&](const ldap::CertificateValue& value) {
    auto certificate = pool.intern(value.value);
    if (certificate) {
      contents.entries.push_back({.certificate = std::move(*certificate),
                                  .kind = value.kind,
                                  .place = std::string{value.dn},
                                  .index = value.index});
    } else {
      contents.unreadable.push_back({.place = std::string{value.dn},
                                     .reason = fmt::format("value {}: {}", value.index + 1, certificate.error().text)});
    }
  };
  auto answer = ldap::read_directory(source, password, step, deadline, keep, names);
  if (!answer) return tl::unexpected(answer.error());
  contents.source = std::move(answer->server);
  contents.referrals = std::move(answer->referrals);
  contents.remarks = std::move(answer->remarks);
  contents.truncated = std::move(answer->truncated);
  return contents;
}

}  // namespace mrascheck::sources
