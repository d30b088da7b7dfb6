// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "ldap/directory.hpp"
#include "sources/sources.hpp"
#include "x509/certificate_pair.hpp"

namespace mrascheck::sources {

Result<StoreContents> read_directory_store(const StoreSource& source, CertificatePool& pool,
                                           std::chrono::milliseconds step, const Deadline& deadline,
                                           const ldap::NameService& names) {
  Secret password;
  if (source.bind && source.bind->method == LdapBind::Method::simple) {
    auto secret = read_secret(source.bind->password);
    if (!secret) return tl::unexpected(secret.error());
    password = std::move(*secret);
  }
  StoreContents contents;
  contents.store = source.name;
  const auto unreadable = [&](const ldap::DirectoryValue& value, std::string_view what, const Error& error) {
    contents.unreadable.push_back(
        {.place = std::string{value.dn}, .reason = fmt::format("{}value {}: {}", what, value.index + 1, error.text)});
  };
  const auto keep = [&](const ldap::DirectoryValue& value, Bytes der, const std::string& place, std::string_view what) {
    auto certificate = pool.intern(der);
    if (!certificate) return unreadable(value, what, certificate.error());
    contents.entries.push_back(
        {.certificate = std::move(*certificate), .kind = value.kind, .place = place, .index = value.index});
  };
  const auto take = [&](const ldap::DirectoryValue& value) {
    switch (value.content) {
      case ldap::DirectoryValue::Content::certificate:
        return keep(value, value.value, std::string{value.dn}, "");
      case ldap::DirectoryValue::Content::certificate_pair: {
        const auto pair = x509::read_certificate_pair(value.value);
        if (!pair) return unreadable(value, "crossCertificatePair, ", pair.error());
        const auto keep_half = [&](Bytes half, std::string_view mark) {
          if (!half.empty()) keep(value, half, fmt::format("{}{}", value.dn, mark), "crossCertificatePair, ");
        };
        keep_half(pair->forward, forward_mark);
        keep_half(pair->reverse, reverse_mark);
        return;
      }
      case ldap::DirectoryValue::Content::crl: {
        auto crl = pool.intern_crl(value.value);
        if (!crl) return unreadable(value, "revocation list, ", crl.error());
        contents.crls.push_back({.crl = std::move(*crl), .place = std::string{value.dn}, .index = value.index});
      }
    }
  };
  const auto start_anew = [&contents] {
    contents.entries.clear();
    contents.crls.clear();
    contents.unreadable.clear();
  };
  auto answer = ldap::read_directory(source, password, step, deadline, {take, start_anew}, names);
  if (!answer) return tl::unexpected(answer.error());
  contents.source = std::move(answer->server);
  contents.referrals = std::move(answer->referrals);
  contents.remarks = std::move(answer->remarks);
  contents.truncated = std::move(answer->truncated);
  return contents;
}

}  // namespace mrascheck::sources
