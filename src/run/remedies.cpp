// SPDX-License-Identifier: Apache-2.0
#include "run/remedies.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace mrascheck::run {

std::string store_remedy(const StoreSource& source, const Error& error) {
  const ErrorKind kind = error.kind;
  const auto says = [&](std::string_view words) { return error.text.find(words) != std::string::npos; };
  if (source.ldap_uris.empty()) {
    const std::string path = source.paths.empty() ? std::string{"its file"} : printable(source.paths.front());
    return kind == ErrorKind::local
               ? fmt::format("Check that {0} is there and that the user who runs this may read it: ls -l {0}", path)
               : fmt::format("Look at what {} holds; correct the path in the configuration, or the file.", path);
  }
  const std::string uri = printable(source.ldap_uris.front());
  if (says("no PEM certificate in it"))
    return fmt::format("Name a PEM file of the CA that issued the directory's certificate under `ca` of the store {}.",
                       source.name);
  if (says("StartTLS refused"))
    return fmt::format(
        "The directory offers no StartTLS here: use an ldaps:// URI for the store {}, or give the directory a "
        "certificate; `starttls: off` goes without encryption, and then without a bind.",
        source.name);
  if (says("its certificate is not for the name"))
    return fmt::format(
        "Use a name in the URI of the store {} that the directory's certificate carries: "
        "openssl s_client -connect HOST:636 </dev/null | openssl x509 -noout -subject -ext subjectAltName",
        source.name);
  // StartTLS inside ldaps: is no protocol, and ldapi: needs none.
  const std::string encrypted = uri.starts_with("ldap:") ? " -ZZ" : "";
  const bool kerberos = source.bind && source.bind->method == LdapBind::Method::gssapi;
  if (kerberos && (kind == ErrorKind::local || kind == ErrorKind::rejected_by_peer)) {
    return fmt::format(
        "As the user who runs this, get a ticket and try it: kinit USER, then ldapsearch -H {} -Y GSSAPI -N -s base "
        "-b '' configurationNamingContext",
        uri);
  }
  switch (kind) {
    case ErrorKind::config:
      return fmt::format("Correct the store {} in the configuration: its URI, its base or its bind.", source.name);
    case ErrorKind::local:
      return fmt::format("Check the files that the store {} names: its CA file and its password file.", source.name);
    case ErrorKind::rejected_by_peer:
      return fmt::format(
          "Check the bind name, its password, and that it may read below CN=Public Key Services: "
          "ldapsearch -H {} -x{} -D BINDNAME -W -s base -b '' configurationNamingContext",
          uri, encrypted);
    case ErrorKind::rejected_by_us:
      return fmt::format(
          "Check the directory's TLS certificate; name the CA that issued it under `ca` of the store {}.", source.name);
    default:
      return fmt::format(
          "Check that the directory answers from here: ldapsearch -H {} -x -s base -b '' configurationNamingContext",
          uri);
  }
}

std::string identity_remedy(const IdentitySource& source, const IdentityError& error) {
  const std::string field = error.field.empty() ? "certificate" : error.field;
  if (error.error.kind == ErrorKind::timed_out) {
    return fmt::format("Look at the file under `{}` of {}: reading it takes too long.", field, source.server);
  }
  return error.error.kind == ErrorKind::local
             ? fmt::format("Make the file under `{}` of {} readable for the user who runs this.", field, source.server)
             : fmt::format("Correct `{}` of {} in the configuration, or the file that it names.", field, source.server);
}

std::string server_file_remedy(Needs need, const std::string& server, const Error& error) {
  if (error.kind == ErrorKind::local && need == Needs::traces &&
      error.text.find("more than one run") != std::string::npos)
    return "Give it traces of a shorter time.";
  if (error.kind == ErrorKind::local)
    return "Check that the file is there and that the user who runs this may read it.";
  if (need == Needs::traces)
    return fmt::format(
        "Take a SIPStack trace on {} while a user signs in (flags TF_PROTOCOL and TF_DIAG), and give the text of it.",
        server);
  return fmt::format(
      "On {0}, run Get-CsServerPatchVersion -Report report.html, or before Skype for Business Server 2015 "
      "reg export HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall installed.reg, and name that file "
      "under `patch-report` of {0}; or set its `patch-level`.",
      server);
}

}  // namespace mrascheck::run
