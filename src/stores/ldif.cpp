// SPDX-License-Identifier: Apache-2.0
// LDIF (RFC 2849) as ldifde and ldapsearch write it: the certificates of a directory's entries.
#include <algorithm>
#include <array>
#include <vector>

#include "stores/collector.hpp"
#include "stores/encoding.hpp"
#include "x509/certificate_pair.hpp"
#include "x509/scan.hpp"

namespace mrascheck::stores {
namespace {

/// The relative names at the front of a DN, lower case, at most four: escaped commas belong to theirs.
std::vector<std::string> first_names(std::string_view dn) {
  constexpr std::size_t most = 4;
  std::vector<std::string> names(1);
  for (std::size_t i = 0; i < dn.size(); ++i) {
    if (dn[i] == ',') {
      if (names.size() == most) break;
      names.emplace_back();
      continue;
    }
    names.back().push_back(dn[i]);
    if (dn[i] == '\\' && i + 1 < dn.size()) names.back().push_back(dn[++i]);
  }
  for (std::string& name : names) name = to_lower(trim(name));
  return names;
}

/// What a container of the Public Key Services is for ([MS-WCCE], 2.2.2.11); nothing for any other place.
std::optional<StoreKind> kind_of(std::string_view dn) {
  const std::vector<std::string> names = first_names(dn);
  const auto at = [&](std::size_t i) { return i < names.size() ? std::string_view{names[i]} : std::string_view{}; };
  constexpr std::string_view services = "cn=public key services";
  if (at(1) == services && at(0) == "cn=ntauthcertificates") return StoreKind::ntauth;
  if (at(2) != services) return std::nullopt;
  if (at(1) == "cn=aia") return StoreKind::intermediate;
  if (at(1) == "cn=certification authorities") return StoreKind::root;
  if (at(1) == "cn=enrollment services") return StoreKind::enrollment;
  return std::nullopt;
}

struct Line {
  std::string text;  ///< unfolded
  std::size_t number = 0;
};

class LdifReader {
 public:
  LdifReader(std::string_view text, Collector& into) : text_(text), into_(into) {}

  void run() {
    while (!into_.full()) {
      const std::optional<Line> line = next();
      if (!line) break;
      if (line->text.empty()) {
        end_record();
      } else if (line->text[0] != '#') {
        attribute(*line);
      }
    }
    end_record();
    if (changes_ > 0) {
      into_.reading().remarks.push_back(fmt::format(
          "{} passed over: an order to change a directory, not what one holds", count(changes_, "change record")));
    }
  }

 private:
  /// The next line with those that continue it: they begin with one blank (RFC 2849, note 2).
  std::optional<Line> next() {
    if (text_.empty()) return std::nullopt;
    Line line{std::string{take_line(text_)}, ++number_};
    while (text_.starts_with(' ')) {
      line.text += take_line(text_).substr(1);
      ++number_;
    }
    return line;
  }

  void end_record() {
    if (change_) ++changes_;
    dn_.clear();
    change_ = false;
    index_ = 0;
    pairs_ = 0;
  }

  void attribute(const Line& line) {
    const std::string_view text = line.text;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      // A single - ends one of several modifications.
      if (trim(text) != "-") complain(line, "no attribute");
      return;
    }
    const std::string description = to_lower(text.substr(0, colon));
    const std::string_view name = std::string_view{description}.substr(0, description.find(';'));
    std::string_view value = text.substr(colon + 1);
    const char form = value.empty() ? ' ' : value[0];
    if (form == ':' || form == '<') value.remove_prefix(1);
    value = trim(value);
    if (name == "dn") return begin_record(line, value, form == ':');
    if (name == "changetype") {
      change_ = !equals_ignoring_case(value, "add");
      return;
    }
    const bool pair = name == "crosscertificatepair";
    const bool own = name == "usercertificate";
    if ((!pair && !own && name != "cacertificate") || change_) return;
    if (form == '<') return complain(line, "a reference to a file, not a value: export the values themselves");
    if (form != ':') return complain(line, fmt::format("{} is not base64: it must follow two colons", name));
    const x509::Base64 decoded = x509::decode_base64(value);
    if (!decoded.trouble.empty()) return complain(line, decoded.trouble);
    if (dn_.empty()) complain(line, "a certificate of an entry without its dn");
    if (pair) return cross_certificates(decoded.bytes);
    // What is not a CA's by its attribute is no root.
    keep(decoded.bytes, own ? std::optional{StoreKind::intermediate} : kind_, "", index_++);
  }

  void begin_record(const Line& line, std::string_view value, bool encoded) {
    end_record();
    std::string dn{value};
    if (encoded) {
      const x509::Base64 decoded = x509::decode_base64(value);
      if (!decoded.trouble.empty()) complain(line, fmt::format("dn: {}", decoded.trouble));
      dn = as_text(decoded.bytes);
    }
    kind_ = kind_of(dn);
    dn_ = printable(dn, 4'096);
  }

  void cross_certificates(Bytes value) {
    const auto pair = x509::read_certificate_pair(value);
    const std::size_t index = pairs_++;
    if (!pair)
      return into_.complain(dn_, "", fmt::format("crossCertificatePair, value {}: {}", index + 1, pair.error().text));
    if (!pair->forward.empty()) keep(pair->forward, StoreKind::intermediate, forward_mark, index);
    if (!pair->reverse.empty()) keep(pair->reverse, StoreKind::intermediate, reverse_mark, index);
  }

  void keep(Bytes der, std::optional<StoreKind> kind, std::string_view mark, std::size_t index) {
    FoundEntry entry;
    entry.der = der;
    entry.dn = fmt::format("{}{}", dn_, mark);
    entry.index = index;
    entry.where = entry.index == 0 ? "" : fmt::format("value {}", entry.index + 1);
    entry.kind = kind;
    entry.properties.origin = StoreOrigin::directory;
    into_.certificate(entry);
  }

  void complain(const Line& line, std::string_view reason) {
    into_.complain(dn_, "", fmt::format("line {}: {}", line.number, reason));
  }

  std::string_view text_;
  Collector& into_;
  std::size_t number_ = 0;
  std::string dn_;
  std::optional<StoreKind> kind_;
  bool change_ = false;
  std::size_t index_ = 0;
  std::size_t pairs_ = 0;  ///< values of crossCertificatePair in this entry
  std::size_t changes_ = 0;
};

}  // namespace

void read_ldif(Bytes content, Collector& into) {
  const std::string text = decode_text(content);
  LdifReader{text, into}.run();
}

}  // namespace mrascheck::stores
