// SPDX-License-Identifier: Apache-2.0
#include "ldap/directory.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/text.hpp"
#include "ldap/attribute.hpp"
#include "ldap/session.hpp"

namespace mrascheck::ldap {

using Content = DirectoryValue::Content;

struct Attribute {
  std::string_view name;
  Content content;
  std::size_t largest;  ///< octets of a value; Active Directory allows 32 KiB, and 10 MiB for lists ([MS-ADA1])
};
static constexpr std::size_t largest_certificate = std::size_t{256} * 1024;
static constexpr std::size_t largest_crl = std::size_t{16} * 1024 * 1024;
static constexpr std::array attributes{
    Attribute{"cACertificate", Content::certificate, largest_certificate},
    Attribute{"crossCertificatePair", Content::certificate_pair, 2 * largest_certificate},
    Attribute{"certificateRevocationList", Content::crl, largest_crl},
    Attribute{"authorityRevocationList", Content::crl, largest_crl},
    Attribute{"deltaRevocationList", Content::crl, largest_crl},
};
static constexpr std::string_view services = "CN=Public Key Services,CN=Services,";
/// What is told of any one kind; the rest is counted.
static constexpr std::size_t most_told = 20;

struct Container {
  std::string_view name;
  StoreKind kind;
};
static constexpr std::array containers{
    Container{"AIA", StoreKind::intermediate},
    Container{"Certification Authorities", StoreKind::root},
    Container{"NTAuthCertificates", StoreKind::ntauth},
    Container{"Enrollment Services", StoreKind::enrollment},
};
/// Where revocation lists stand, below a container for each host; and the key recovery agents, who issue nothing.
static constexpr std::string_view crl_container = "CDP";
static constexpr std::string_view agents_container = "KRA";

static const Attribute* attribute_named(const AttributeDescription& description) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& attribute) { return description.is(attribute.name); });
  return found == attributes.end() ? nullptr : &*found;
}

/// Leaf first, as it is written. Only the value of each RDN: what it is an attribute of is always cn below the base.
static std::optional<std::vector<std::string>> parse_dn(const berval& text) {
  LDAPDN parsed = nullptr;
  berval copy = text;
  if (ldap_bv2dn(&copy, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS) return std::nullopt;
  const std::unique_ptr<LDAPRDN, Released<ldap_dnfree>> owner{parsed};
  std::vector<std::string> values;
  for (LDAPDN rdn = parsed; rdn != nullptr && *rdn != nullptr; ++rdn) {
    const LDAPAVA* first = **rdn;
    values.emplace_back(first->la_value.bv_val == nullptr ? "" : first->la_value.bv_val, first->la_value.bv_len);
  }
  return values;
}

static std::optional<std::vector<std::string>> parse_dn(const std::string& text) {
  return parse_dn(berval{.bv_len = text.size(), .bv_val = const_cast<char*>(text.data())});
}

/// Reads one server's answer into a DirectoryAnswer.
class Reader {
 public:
  Reader(Session& session, const StoreSource& source, DirectoryAnswer& answer, const DirectorySink& sink)
      : session_(session), source_(source), answer_(answer), sink_(sink) {}

  Result<void> read() {
    if (auto found = find_base(); !found) return found;
    if (auto read = read_pages(); !read) return read;
    if (auto read = read_ranges(); !read) return read;
    if (!source_.one_entry) make_remarks();
    return {};
  }

  std::string values() const {
    std::string text = count(certificates_, "certificate");
    if (crls_ > 0) text += fmt::format(" and {}", count(crls_, "revocation list"));
    return text;
  }
  bool any_values() const { return certificates_ + crls_ > 0; }

 private:
  /// A large attribute of which the rest is still to be asked for.
  struct Rest {
    std::string dn;
    const Attribute* attribute;
    std::size_t next;
    StoreKind kind;
  };

  /// What one search brought: everything until its last message, which is returned.
  Result<Answer> collect(const Query& query, std::optional<Rest>* slice);
  Result<Answer> receive(int id, std::vector<MessagePtr>& entries, std::optional<Rest>* slice);
  Result<void> add_entries(std::vector<MessagePtr>& messages, std::optional<Rest>* slice);
  Result<void> find_base();
  Result<std::string> configuration_context();
  Result<bool> exists(const std::string& dn);
  Result<void> read_pages();
  Result<void> read_ranges();
  Result<void> add_entry(LDAPMessage* message, std::optional<Rest>* slice);
  void add_values(const std::string& dn, StoreKind kind, const Attribute& attribute, std::size_t first,
                  const berval* values);
  const Container* container(const berval& dn);
  /// What stands below the base in a container that holds no certificates of CAs.
  void note_other(const berval& dn);
  void add_referrals(const std::vector<std::string>& referrals);
  /// Whether `answer` ended well, or at a limit of the server's, which is noted.
  Result<void> judge(const Answer& answer, const std::string& base);
  void make_remarks();
  void cut(std::string reason);

  Session& session_;
  const StoreSource& source_;
  DirectoryAnswer& answer_;
  const DirectorySink& sink_;
  std::size_t depth_ = 0;  ///< RDNs of the base
  std::array<bool, containers.size()> seen_{};
  std::string last_parent_;  ///< ",CN=AIA,...": how the DNs in last_container_ end
  const Container* last_container_ = nullptr;
  std::vector<Rest> rests_;
  std::size_t certificates_ = 0;  ///< cross certificate pairs too
  std::size_t crls_ = 0;
  std::size_t crls_of_entry_ = 0;
  std::map<StoreKind, std::size_t> certificates_of_;  ///< by the container's kind
  std::size_t entries_ = 0;
  std::size_t agents_ = 0;
  std::size_t services_without_certificate_ = 0;
  bool crl_container_seen_ = false;
  bool full_ = false;  ///< size_limit is reached, and there was more
  std::vector<std::string> oversized_;
  std::size_t elsewhere_ = 0;  ///< values outside the four containers
  std::string elsewhere_dn_;
};

void Reader::cut(std::string reason) {
  if (answer_.truncated.empty()) answer_.truncated = std::move(reason);
}

void Reader::add_referrals(const std::vector<std::string>& referrals) {
  for (const std::string& referral : referrals) {
    if (answer_.referrals.size() == most_told) return;
    const auto known = std::find(answer_.referrals.begin(), answer_.referrals.end(), referral);
    if (known == answer_.referrals.end()) answer_.referrals.push_back(referral);
  }
}

const Container* Reader::container(const berval& dn) {
  // Thousands of entries in a row stand in one container, which then need not be found again: the DN ends with the same
  // text behind the same comma. Escapes and quotes (RFC 4514, 2.4) go the long way.
  const std::string_view text{dn.bv_val, dn.bv_len};
  if (last_container_ != nullptr && text.ends_with(last_parent_)) {
    const auto rdn = text.substr(0, text.size() - last_parent_.size());
    if (rdn.find_first_of(",+\\\"") == std::string_view::npos) return last_container_;
  }
  const Container* found = nullptr;
  const auto rdns = parse_dn(dn);
  if (!rdns || rdns->size() <= depth_) return nullptr;
  const std::string& name = (*rdns)[rdns->size() - depth_ - 1];
  for (std::size_t i = 0; i < containers.size(); ++i) {
    if (!equals_ignoring_case(name, containers[i].name)) continue;
    seen_[i] = true;
    found = &containers[i];
  }
  const auto comma = text.find(',');
  const bool plain = text.substr(0, comma).find_first_of("+\\\"") == std::string_view::npos;
  if (found != nullptr && rdns->size() == depth_ + 2 && plain) {
    last_parent_ = text.substr(comma);
    last_container_ = found;
  }
  return found;
}

/// What Active Directory keeps in a mandatory attribute that nothing has been published in yet.
static bool is_placeholder(const berval& value) {
  return value.bv_len == 0 || (value.bv_len == 1 && *value.bv_val == '\0');
}

void Reader::add_values(const std::string& dn, StoreKind kind, const Attribute& attribute, std::size_t first,
                        const berval* values) {
  const bool crl = attribute.content == Content::crl;
  for (std::size_t i = 0; values[i].bv_val != nullptr; ++i) {
    if (crl && is_placeholder(values[i])) continue;
    if (certificates_ + crls_ == source_.size_limit) {
      full_ = true;
      return;
    }
    if (values[i].bv_len > attribute.largest) {
      if (oversized_.size() < most_told) {
        oversized_.push_back(fmt::format("{}: value {} has {} bytes, more than any {}: left out", dn, first + i + 1,
                                         values[i].bv_len, crl ? "revocation list" : "certificate"));
      }
      continue;
    }
    ++(crl ? crls_ : certificates_);
    if (!crl) ++certificates_of_[kind];
    const Bytes value{reinterpret_cast<const std::uint8_t*>(values[i].bv_val), values[i].bv_len};
    const std::size_t index = crl ? crls_of_entry_++ : first + i;
    sink_.take({.content = attribute.content, .dn = dn, .kind = kind, .index = index, .value = value});
  }
}

/// A DN as it can be shown and given back to a directory: what printable() would change is escaped (RFC 4514, 2.4). The
/// names of conflicting replicas have a line feed in them ([MS-ADTS] 3.1.1.5.1.6).
static std::string shown(std::string_view dn) {
  if (printable(dn, dn.size()) == dn) return std::string{dn};
  std::string escaped;
  for (const char c : dn) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet >= 0x7f) {
      escaped += fmt::format("\\{:02X}", octet);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void Reader::note_other(const berval& dn) {
  const auto rdns = parse_dn(dn);
  if (!rdns || rdns->size() <= depth_) return;
  const std::string& name = (*rdns)[rdns->size() - depth_ - 1];
  if (equals_ignoring_case(name, crl_container)) crl_container_seen_ = true;
  if (equals_ignoring_case(name, agents_container) && rdns->size() > depth_ + 1) ++agents_;
}

/// `slice`: what of an attribute was asked for, and left standing there is what remains to be asked; empty when done.
Result<void> Reader::add_entry(LDAPMessage* message, std::optional<Rest>* slice) {
  const auto unreadable = [&] { return session_.error("an entry that cannot be read", LDAP_DECODING_ERROR); };
  berval dn{};
  BerElement* cursor = nullptr;
  if (ldap_get_dn_ber(session_.get(), message, &cursor, &dn) != LDAP_SUCCESS) return unreadable();
  const BerPtr cursor_owner{cursor};
  const std::string shown_dn = shown({dn.bv_val, dn.bv_len});
  const Container* place = slice == nullptr ? container(dn) : nullptr;
  const StoreKind kind = slice != nullptr    ? (*slice)->kind
                         : place != nullptr  ? place->kind
                         : source_.one_entry ? StoreKind::intermediate
                                             : StoreKind::mixed;
  if (slice == nullptr) {
    crls_of_entry_ = 0;
    if (place == nullptr) note_other(dn);
  }
  std::vector<Rest> rests;
  bool found = false;
  for (;;) {
    berval name{};
    berval* values = nullptr;
    const int code = ldap_get_attribute_ber(session_.get(), message, cursor, &name, &values);
    const std::unique_ptr<berval, Released<ber_memfree>> owner{values};
    if (code != LDAP_SUCCESS) return unreadable();
    if (name.bv_val == nullptr) break;
    const auto description = parse_attribute({name.bv_val, name.bv_len});
    const Attribute* attribute = description ? attribute_named(*description) : nullptr;
    if (attribute == nullptr || values == nullptr || values->bv_val == nullptr) continue;
    if (slice != nullptr && attribute != (*slice)->attribute) continue;
    // A revocation list is one wherever it stands; what a certificate is for depends on its container.
    if (slice == nullptr && place == nullptr && attribute->content != Content::crl && !source_.one_entry) {
      for (const berval* value = values; value->bv_val != nullptr; ++value) ++elsewhere_;
      if (elsewhere_dn_.empty()) elsewhere_dn_ = shown_dn;
      continue;
    }
    const auto& range = description->range;
    const std::size_t expected = slice == nullptr ? 0 : (*slice)->next;
    // A range that does not go on where the last one ended would be read for ever, or twice.
    if (slice != nullptr && (!range || range->first != expected)) continue;
    add_values(shown_dn, kind, *attribute, range ? range->first : 0, values);
    found = true;
    if (range && range->last) rests.push_back({{dn.bv_val, dn.bv_len}, attribute, *range->last + 1, kind});
  }
  if (slice == nullptr) {
    std::move(rests.begin(), rests.end(), std::back_inserter(rests_));
    if (place != nullptr && place->kind == StoreKind::enrollment && !found) {
      const auto rdns = parse_dn(dn);
      if (rdns && rdns->size() > depth_ + 1) ++services_without_certificate_;
    }
  } else if (found) {
    *slice = rests.empty() ? std::nullopt : std::optional{std::move(rests.front())};
  }
  return {};
}

/// Takes apart what has come, until the size limit is reached.
Result<void> Reader::add_entries(std::vector<MessagePtr>& messages, std::optional<Rest>* slice) {
  for (const MessagePtr& message : messages) {
    if (full_) break;
    if (auto added = add_entry(message.get(), slice); !added) return added;
    // Entries without values cost a server nothing: their number is bounded too.
    if (++entries_ > source_.size_limit + 1000) full_ = true;
  }
  messages.clear();
  return {};
}

/// Receives the answer to the search `id`. The last entries of it are left in `entries`, not taken apart yet.
Result<Answer> Reader::receive(int id, std::vector<MessagePtr>& entries, std::optional<Rest>* slice) {
  constexpr std::size_t most_waiting = 2'000;
  for (;;) {
    auto message = session_.next(id);
    if (!message) return tl::unexpected(message.error());
    switch (ldap_msgtype(message->get())) {
      case LDAP_RES_SEARCH_ENTRY:
        entries.push_back(std::move(*message));
        if (entries.size() < most_waiting) break;
        if (auto added = add_entries(entries, slice); !added) return tl::unexpected(added.error());
        break;
      case LDAP_RES_SEARCH_REFERENCE: {
        const auto referrals = session_.references(message->get());
        if (!referrals) return tl::unexpected(referrals.error());
        add_referrals(*referrals);
        break;
      }
      case LDAP_RES_SEARCH_RESULT:
        return session_.answer(message->get());
      default:
        break;
    }
    if (full_) {
      session_.abandon(id);
      return Answer{};
    }
  }
}

Result<Answer> Reader::collect(const Query& query, std::optional<Rest>* slice) {
  const auto id = session_.search(query);
  if (!id) return tl::unexpected(id.error());
  std::vector<MessagePtr> entries;
  auto answer = receive(*id, entries, slice);
  if (!answer) return answer;
  if (auto added = add_entries(entries, slice); !added) return tl::unexpected(added.error());
  return answer;
}

Result<std::string> Reader::configuration_context() {
  const auto id = session_.search({.base = "", .attributes = {"configurationNamingContext"}});
  if (!id) return tl::unexpected(id.error());
  std::string context;
  for (;;) {
    const auto message = session_.next(*id);
    if (!message) return tl::unexpected(message.error());
    const int type = ldap_msgtype(message->get());
    if (type == LDAP_RES_SEARCH_ENTRY) {
      berval** values = ldap_get_values_len(session_.get(), message->get(), "configurationNamingContext");
      const std::unique_ptr<berval*, Released<ldap_value_free_len>> owner{values};
      if (values != nullptr && *values != nullptr) context.assign((*values)->bv_val, (*values)->bv_len);
    }
    if (type != LDAP_RES_SEARCH_RESULT) continue;
    const auto answer = session_.answer(message->get());
    if (!answer) return tl::unexpected(answer.error());
    if (answer->code != LDAP_SUCCESS) return session_.error("rootDSE", answer->code, answer->diagnostic);
    if (!context.empty()) return context;
    return fail(ErrorKind::config,
                fmt::format("{}: its rootDSE names no configurationNamingContext, so it is no domain "
                            "controller: set base to the DN of its Public Key Services container",
                            session_.uri().text));
  }
}

Result<bool> Reader::exists(const std::string& dn) {
  const auto id = session_.search({.base = dn, .attributes = {LDAP_NO_ATTRS}});
  if (!id) return tl::unexpected(id.error());
  for (;;) {
    const auto message = session_.next(*id);
    if (!message) return tl::unexpected(message.error());
    if (ldap_msgtype(message->get()) != LDAP_RES_SEARCH_RESULT) continue;
    const auto answer = session_.answer(message->get());
    if (!answer) return tl::unexpected(answer.error());
    if (answer->code == LDAP_SUCCESS) return true;
    if (answer->code == LDAP_NO_SUCH_OBJECT) return false;
    return session_.error(printable(dn), answer->code, answer->diagnostic);
  }
}

Result<void> Reader::find_base() {
  std::string base = source_.base.empty() ? session_.uri().dn : source_.base;
  if (base.empty()) {
    const auto context = configuration_context();
    if (!context) return tl::unexpected(context.error());
    base = std::string{services} + *context;
  } else {
    const auto rdns = parse_dn(base);
    if (!rdns || rdns->empty()) {
      return fail(ErrorKind::config, fmt::format("{}: base is not a DN: {}", session_.uri().text, printable(base)));
    }
    if (!source_.one_entry && !equals_ignoring_case(rdns->front(), "Public Key Services")) {
      const std::string below = std::string{services} + base;
      const auto found = exists(below);
      if (!found) return tl::unexpected(found.error());
      if (*found) base = below;
    }
  }
  const auto rdns = parse_dn(base);
  if (!rdns || base.find('\0') != std::string::npos) {
    return session_.error(fmt::format("not a DN: {}", printable(base)), LDAP_INVALID_DN_SYNTAX);
  }
  depth_ = rdns->size();
  answer_.base = base;
  return {};
}

Result<void> Reader::judge(const Answer& answer, const std::string& base) {
  add_referrals(answer.referrals);
  const std::string shown = printable(base);
  switch (answer.code) {
    case LDAP_SUCCESS:
      return {};
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_TIMELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
      cut(fmt::format("{}: the server stopped after {}: {} ({})", session_.uri().text, values(),
                      ldap_err2string(answer.code), answer.code));
      return {};
    case LDAP_NO_SUCH_OBJECT:
      return session_.error(fmt::format("{}: not there{}", shown, source_.bind ? "" : ", or not shown without a bind"),
                            answer.code, answer.diagnostic);
    case LDAP_REFERRAL:
      return session_.error(fmt::format("{}: it is held by {}, which is not followed", shown,
                                        answer.referrals.empty() ? "another server" : enumerate(answer.referrals)),
                            answer.code, answer.diagnostic);
    default:
      return session_.error(fmt::format("{}{}", shown, source_.bind ? "" : ": refused without a bind"), answer.code,
                            answer.diagnostic);
  }
}

Result<void> Reader::read_pages() {
  // The containers are asked for by name as well, so that an empty one is told from one that is not there.
  Query query{.base = answer_.base, .scope = LDAP_SCOPE_SUBTREE, .filter = "(|", .attributes = {}, .cookie = ""};
  if (source_.one_entry) query.scope = LDAP_SCOPE_BASE;
  for (const Attribute& attribute : attributes) {
    query.filter += fmt::format("({}=*)", attribute.name);
    query.attributes.emplace_back(attribute.name);
  }
  for (const Container& wanted : containers) query.filter += fmt::format("(cn={})", wanted.name);
  // An entry of a CA that issues is of interest without its certificate, too: it has one, and may not show it.
  query.filter += "(objectClass=pKIEnrollmentService)";
  // Of the key recovery agents only the number is wanted.
  query.filter += fmt::format("(cn={})(userCertificate=*))", crl_container);
  auto id = session_.search(query);
  std::vector<MessagePtr> entries;
  while (id) {
    const auto page = receive(*id, entries, nullptr);
    if (!page) {
      if (auto added = add_entries(entries, nullptr); !added) return added;
      return tl::unexpected(page.error());
    }
    const bool more = page->code == LDAP_SUCCESS && !page->cookie.empty() && !full_;
    // The server makes the next page while this one is taken apart.
    if (more) {
      query.cookie = page->cookie;
      id = session_.search(query);
    }
    if (auto added = add_entries(entries, nullptr); !added) return added;
    if (auto judged = judge(*page, answer_.base); !judged || !more) return judged;
    if (full_ && id) {
      session_.abandon(*id);
      return {};
    }
  }
  return tl::unexpected(id.error());
}

Result<void> Reader::read_ranges() {
  for (Rest& rest : rests_) {
    std::optional<Rest> slice = std::move(rest);
    const std::string dn = slice->dn;
    while (slice && !full_) {
      const std::size_t from = slice->next;
      const auto answer =
          collect({.base = dn, .attributes = {fmt::format("{};range={}-*", slice->attribute->name, from)}}, &slice);
      if (!answer) return tl::unexpected(answer.error());
      if (slice && slice->next == from && !full_) {
        cut(fmt::format("{}: its values from the {}th on were not given{}", printable(dn), from + 1,
                        answer->code == LDAP_SUCCESS
                            ? std::string{}
                            : fmt::format(": {} ({})", ldap_err2string(answer->code), answer->code)));
        break;
      }
    }
  }
  return {};
}

void Reader::make_remarks() {
  // What is not there to be read may be what is looked for, unless a limit came before it.
  const bool whole = answer_.truncated.empty() && !full_;
  if (full_) {
    cut(fmt::format("{}: size_limit: stopped after {}, there is more", session_.uri().text, values()));
  }
  if (elsewhere_ > 0) {
    answer_.remarks.push_back(fmt::format("{} outside the known containers: ignored, the first one in {}",
                                          count(elsewhere_, "value"), elsewhere_dn_));
  }
  std::vector<std::string> overlooked;
  for (std::size_t i = 0; whole && i < containers.size(); ++i) {
    if (seen_[i]) continue;
    if (containers[i].kind == StoreKind::intermediate || containers[i].kind == StoreKind::root) {
      overlooked.push_back(fmt::format("{}: no such entry, or not shown to this account", containers[i].name));
    } else {
      answer_.remarks.push_back(fmt::format("{}: no such entry", containers[i].name));
    }
  }
  // A CA that is installed publishes its certificate under AIA, and one that issues here has a root. What an account
  // may not read is not told from what is not there: an access control list hides it without a word
  // ([MS-ADTS] 3.1.1.4.3).
  const std::string_view whom = source_.bind ? "shown to this account" : "shown without a bind";
  for (const Container& container : containers) {
    const std::size_t others =
        container.kind == StoreKind::root ? certificates_of_[StoreKind::enrollment] : certificates_;
    const bool expected = container.kind == StoreKind::intermediate || container.kind == StoreKind::root;
    const bool seen = seen_[static_cast<std::size_t>(&container - containers.data())];
    if (whole && seen && expected && others > 0 && certificates_of_[container.kind] == 0)
      overlooked.push_back(fmt::format("{}: empty, or nothing in it is {}", container.name, whom));
  }
  if (services_without_certificate_ > 0) {
    overlooked.push_back(fmt::format("Enrollment Services: {} without a certificate, or it is not {}",
                                     count(services_without_certificate_, "entry", "entries"), whom));
  }
  if (whole && certificates_ == 0)
    overlooked.push_back(fmt::format("no CA certificate in any container, or none {}", whom));
  if (whole && !crl_container_seen_)
    answer_.remarks.push_back(fmt::format("{}: no such entry, so no revocation lists", crl_container));
  if (agents_ > 0) {
    answer_.remarks.push_back(fmt::format("{}: {} not read: no path goes through their certificates", agents_container,
                                          count(agents_, "key recovery agent")));
  }
  for (const std::string& referral : answer_.referrals)
    overlooked.push_back("referral not followed: " + printable(referral));
  if (!oversized_.empty()) overlooked.push_back(oversized_.front());
  std::move(oversized_.begin(), oversized_.end(), std::back_inserter(answer_.remarks));
  if (!overlooked.empty()) cut(fmt::format("{}: {}", session_.uri().text, fmt::join(overlooked, "; ")));
}

/// Whether the configuration asks for something that would give the password away, or is no authentication at all.
static Result<void> check_bind(const StoreSource& source, const Uri& uri, const Secret& password) {
  if (!source.bind) return {};
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::config, fmt::format("{}: bind as {}: {}", uri.text, printable(source.bind->dn), why));
  };
  const LdapBind& bind = *source.bind;
  if (bind.method == LdapBind::Method::gssapi) return {};
  if (bind.method == LdapBind::Method::external) {
    const bool tls = uri.encrypted() || (uri.scheme == Uri::Scheme::ldap && source.starttls != StartTls::off);
    if (uri.local() || (tls && !bind.certificate.empty())) return {};
    return fail(ErrorKind::config,
                fmt::format("{}: bind: sasl external goes by the user at the other end of ldapi, or by a certificate "
                            "under TLS: {}",
                            uri.text, tls ? "name certificate and key" : "there is no TLS here"));
  }
  if (source.bind->dn.empty()) {
    return fail(ErrorKind::config, fmt::format("{}: bind: no DN, so the password would belong to nobody", uri.text));
  }
  if (password.empty()) return refuse("empty password: the server would take it for anonymous (RFC 4513, 5.1.2)");
  if (source.bind->dn.find('\0') != std::string::npos) return refuse("a NUL character in the DN");
  if (uri.scheme == Uri::Scheme::ldap && source.starttls == StartTls::off) {
    return refuse("not sent: the password would travel in clear text: allow starttls, or use ldaps");
  }
  return {};
}

/// What a connection needs, from the configuration.
struct Reach {
  const StoreSource& source;
  const NameService& names;
  std::chrono::milliseconds step;
  const Deadline& deadline;
};

static bool wants_start_tls(const StoreSource& source, const Uri& uri) {
  if (uri.scheme != Uri::Scheme::ldap || source.starttls == StartTls::off) return false;
  // Kerberos signs what is said by itself.
  const bool needs_it = source.bind && source.bind->method != LdapBind::Method::gssapi;
  return source.starttls == StartTls::required || needs_it;
}

/// Whether `name` stands anywhere in a certificate, as it is, as a wildcard's domain, or as the octets of an address.
/// No proof that the certificate is for it, but when it does not, the certificate is not.
static bool mentions(const std::string& der, const std::string& name) {
  std::array<char, sizeof(in6_addr)> address{};
  if (inet_pton(AF_INET, name.c_str(), address.data()) == 1)
    return der.find(address.data(), 0, sizeof(in_addr)) != std::string::npos;
  if (inet_pton(AF_INET6, name.c_str(), address.data()) == 1)
    return der.find(address.data(), 0, sizeof(in6_addr)) != std::string::npos;
  const std::string text = to_lower(der);
  const std::string wanted = to_lower(name);
  const auto dot = wanted.find('.');
  return text.find(wanted) != std::string::npos ||
         (dot != std::string::npos && text.find('*' + wanted.substr(dot)) != std::string::npos);
}

static Result<Session> connect(const Uri& uri, const Reach& reach, Trust trust) {
  auto session = Session::open(uri, reach.names, reach.step, reach.deadline);
  if (!session) return session;
  Result<void> ready;
  const bool start_tls = wants_start_tls(reach.source, uri);
  if (start_tls) ready = session->start_tls();
  if (!ready) return tl::unexpected(ready.error());
  if (!start_tls && !uri.encrypted()) return session;
  if (trust != Trust::any_certificate && reach.source.bind && !reach.source.bind->certificate.empty()) {
    ready = session->present(reach.source.bind->certificate, reach.source.bind->key);
    if (!ready) return tl::unexpected(ready.error());
  }
  ready = session->shake_hands(reach.source.ca_file, trust);
  if (ready) return session;
  if (trust != Trust::certificate_and_name || ready.error().kind != ErrorKind::unreachable) {
    return tl::unexpected(ready.error());
  }
  // libldap on GnuTLS does not say what it did not like. A second look, which takes any certificate and sends nothing,
  // tells a handshake that fails anyway from a certificate that is not accepted.
  auto second = connect(uri, reach, Trust::any_certificate);
  if (!second) return tl::unexpected(ready.error());
  const std::string name = printable(uri.host);
  const std::string authority =
      reach.source.ca_file.empty() ? "the system's trust store" : printable(reach.source.ca_file);
  const std::string reason =
      mentions(second->server_certificate(), uri.host)
          ? fmt::format(
                "its certificate is not accepted: it must lead to a CA in {}, be valid today, and be for the name {}",
                authority, name)
          : fmt::format("its certificate is not for the name {}", name);
  return fail(ErrorKind::rejected_by_us, second->error("TLS handshake", LDAP_CONNECT_ERROR, reason).value().text);
}

static Result<void> bind(Session& session, const LdapBind& how, const Secret& password) {
  switch (how.method) {
    case LdapBind::Method::gssapi:
      return session.bind_gssapi(how.channel_binding);
    case LdapBind::Method::external:
      return session.bind_external();
    case LdapBind::Method::simple:
      break;
  }
  return session.bind(how.dn, password);
}

/// `handed_over`: what the sink has got; empty when nothing.
static Result<DirectoryAnswer> read_from(const Uri& uri, const Reach& reach, const Secret& password,
                                         const DirectorySink& sink, std::string& handed_over) {
  const StoreSource& source = reach.source;
  auto session = connect(uri, reach, source.verify_server ? Trust::certificate_and_name : Trust::nothing);
  if (!session) return tl::unexpected(session.error());
  if (source.bind) {
    if (auto bound = bind(*session, *source.bind, password); !bound) return tl::unexpected(bound.error());
  }
  DirectoryAnswer answer;
  answer.server = uri.text;
  if ((uri.encrypted() || wants_start_tls(source, uri)) && !source.verify_server) {
    answer.remarks.push_back(fmt::format("{}: its certificate was not checked: verify is off", uri.text));
  }
  if (uri.global_catalog()) {
    answer.remarks.push_back(fmt::format(
        "{}: a global catalog, which has no cross certificates and no revocation lists: read port 389 or 636",
        uri.text));
  }
  Reader reader{*session, source, answer, sink};
  const auto read = reader.read();
  if (reader.any_values()) handed_over = reader.values();
  if (!read) return tl::unexpected(read.error());
  return answer;
}

Result<DirectoryAnswer> read_directory(const StoreSource& source, const Secret& password,
                                       std::chrono::milliseconds step, const Deadline& deadline,
                                       const DirectorySink& sink, const NameService& names) {
  // Everything that needs no server is refused before any is asked.
  std::vector<Uri> uris;
  for (const std::string& text : source.ldap_uris) {
    auto uri = parse_uri(text);
    if (!uri) return tl::unexpected(uri.error());
    if (auto allowed = check_bind(source, *uri, password); !allowed) return tl::unexpected(allowed.error());
    uris.push_back(std::move(*uri));
  }
  if (uris.empty()) return fail(ErrorKind::config, fmt::format("{}: no ldap uri", printable(source.name)));

  const Reach reach{.source = source, .names = names, .step = step, .deadline = deadline};
  std::optional<Error> failed;
  for (const Uri& uri : uris) {
    std::string handed_over;
    auto answer = read_from(uri, reach, password, sink, handed_over);
    if (answer) {
      if (failed)
        answer->remarks.insert(answer->remarks.begin(), fmt::format("{}; {} answered", failed->text, uri.text));
      return answer;
    }
    const ErrorKind kind = answer.error().kind;
    if (!handed_over.empty()) {
      answer.error().text.insert(uri.text.size(), fmt::format(": after {}", handed_over));
      sink.start_anew();
    }
    if (failed) answer.error().text = fmt::format("{}; {}", failed->text, answer.error().text);
    failed = std::move(answer.error());
    if (deadline.over() || (kind != ErrorKind::unreachable && kind != ErrorKind::timed_out)) break;
  }
  return tl::unexpected(*failed);
}

}  // namespace mrascheck::ldap
