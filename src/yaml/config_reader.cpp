// SPDX-License-Identifier: Apache-2.0
#include "yaml/config_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "core/text.hpp"
#include "yaml/document.hpp"
#include "yaml/fields.hpp"
#include "yaml/files.hpp"
#include "yaml/problems.hpp"
#include "yaml/values.hpp"

namespace mrascheck::yaml {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_files = 64;
constexpr std::size_t max_include_depth = 32;
constexpr std::size_t max_stores = 1'000;
constexpr std::size_t max_servers = 5'000;
constexpr std::size_t max_links = 50'000;
constexpr std::size_t max_strangers = 32;

template <std::size_t N>
using Words = std::array<std::string_view, N>;

constexpr Words<15> top_keys{"site", "include",    "stores",  "servers",   "links",
                             "mras", "thresholds", "limits",  "resolve",   "fetch",
                             "ocsp", "revocation", "network", "strangers", "relay"};
constexpr Words<12> store_keys{"name", "kind",   "host", "ldap", "file",       "starttls",
                               "ca",   "verify", "bind", "base", "size-limit", "passphrase"};
/// Of those, the ones that say how to read a directory service.
constexpr Words<6> directory_keys{"starttls", "ca", "verify", "bind", "base", "size-limit"};
constexpr Words<6> bind_keys{"dn", "password", "sasl", "channel-binding", "certificate", "key"};
constexpr Words<15> server_keys{"name",          "role",        "pool",    "addresses",    "dns",
                                "certificate",   "chain",       "key",     "passphrase",   "trusts",
                                "intermediates", "patch-level", "profile", "patch-report", "traces"};
constexpr Words<10> link_keys{"from", "to", "port", "service", "expect", "tls", "sni", "try", "profile", "relay"};
constexpr Words<6> stranger_keys{"kind", "certificate", "chain", "key", "passphrase", "expect"};
constexpr Words<2> tls_keys{"min", "max"};
constexpr Words<2> network_keys{"name-servers", "source"};
constexpr Words<6> mras_keys{"identity", "location", "duration", "service", "profile", "options-first"};
constexpr Words<2> threshold_keys{"warning", "critical"};
constexpr Words<5> limit_keys{"step", "quiet", "deadline", "parallel", "per-host"};

template <class T, std::size_t N>
using Choices = std::array<std::pair<std::string_view, T>, N>;

constexpr Choices<StoreKind, 4> store_kinds{{{"intermediate", StoreKind::intermediate},
                                             {"root", StoreKind::root},
                                             {"ntauth", StoreKind::ntauth},
                                             {"mixed", StoreKind::mixed}}};
constexpr Choices<RevocationMode, 2> revocation_words{{{"soft", RevocationMode::soft}, {"hard", RevocationMode::hard}}};
constexpr Choices<StartTls, 3> starttls_words{
    {{"automatic", StartTls::automatic}, {"required", StartTls::required}, {"off", StartTls::off}}};
constexpr Choices<LdapBind::Method, 2> sasl_words{
    {{"gssapi", LdapBind::Method::gssapi}, {"external", LdapBind::Method::external}}};
constexpr Choices<Role, 2> roles{{{"front-end", Role::front_end}, {"edge", Role::edge}}};
constexpr Choices<Service, 3> services{{{"mras", Service::mras}, {"sip", Service::sip}, {"tls", Service::tls}}};
constexpr Choices<Expectation, 2> expectations{{{"accept", Expectation::accept}, {"refuse", Expectation::refuse}}};
constexpr Choices<TrialKind, 4> stranger_kinds{{{"foreign-ca", TrialKind::foreign_ca},
                                                {"stale-ca", TrialKind::stale_ca},
                                                {"expired", TrialKind::expired},
                                                {"server-only", TrialKind::server_only}}};
constexpr Words<3> trial_words{"identities", "enumerate", "chain-variants"};
constexpr Choices<TlsVersion, 4> tls_versions{{{"1.0", TlsVersion::tls_1_0},
                                               {"1.1", TlsVersion::tls_1_1},
                                               {"1.2", TlsVersion::tls_1_2},
                                               {"1.3", TlsVersion::tls_1_3}}};
constexpr Choices<MrasLocation, 3> locations{
    {{"intranet", MrasLocation::intranet}, {"internet", MrasLocation::internet}, {"both", MrasLocation::both}}};
constexpr Choices<Profile, 4> profiles{{{"ocs2007r2", Profile::ocs2007r2},
                                        {"lync2010", Profile::lync2010},
                                        {"lync2013", Profile::lync2013},
                                        {"sfb", Profile::sfb}}};

struct StoreDraft {
  StoreSpec spec;
  StoreSource source;
  std::optional<Located> host;
};

struct ServerDraft {
  Server server;
  IdentitySource identity;
  Position at;
  std::optional<Located> pool;
  std::optional<std::vector<Located>> trusts;
  std::optional<std::vector<Located>> intermediates;
  std::optional<Position> chain_from_stores;
};

struct LinkDraft {
  Position at;
  std::optional<Located> from;
  std::optional<Located> to;
  std::uint16_t port = 5062;
  Service service = Service::mras;
  Expectation expect = Expectation::accept;
  std::optional<TlsRange> tls;
  std::optional<std::string> server_name;
  std::optional<Profile> profile;
  Trials trials;
};

bool is_empty_list(const Entry& entry) {
  return entry.value->type == Value::Type::list && entry.value->items.empty();
}

using FileIdentity = std::pair<std::uint64_t, std::uint64_t>;

/// One reading of one configuration: load() all files, then read_document() each, then connect() what they name.
class Reader {
 public:
  void read_path(const std::string& path) {
    const std::size_t number = problems_.add_file(path);
    const auto file = read_text_file(path, max_file_bytes);
    if (!file) {
      problems_.add({number, 0, 0}, file.error().text);
      return;
    }
    known_files_.emplace(file->identity, number);
    read_text(file->text, number);
  }

  void read_text(std::string text, std::size_t number) {
    load(std::move(text), number);
    for (const auto& [file, root] : documents_) read_document(*root);
    connect();
  }

  void read_named_text(std::string text, const std::string& name) {
    read_text(std::move(text), problems_.add_file(name));
  }

  ConfigFile result() && { return {std::move(config_), problems_.lines(), std::move(positions_)}; }

 private:
  // Files.

  void load(std::string text, std::size_t number) {
    const ValueRef root = parse_document(std::move(text), number, problems_);
    if (root && root->type != Value::Type::mapping) {
      problems_.add(root->at, fmt::format("expected a mapping with the keys {}, got {}", enumerate(top_keys),
                                          to_string(root->type)));
    }
    if (!root || root->type != Value::Type::mapping) {
      complete_ = all_read_ = false;
      return;
    }
    documents_.emplace_back(number, root);
    including_.push_back(number);
    for (const Entry& entry : root->entries) {
      if (entry.key != "include") continue;
      const auto names = texts_of(entry, {}, problems_);
      if (names) {
        for (const Located& name : *names) include(name);
      } else {
        complete_ = all_read_ = false;
      }
    }
    including_.pop_back();
  }

  void include(const Located& name) {
    const auto refuse = [&](const std::string& why) {
      problems_.add(name.at, fmt::format("include: {}: {}", in_quotes(name.text), why));
      complete_ = all_read_ = false;
    };
    if (name.text.starts_with('~')) return refuse("a tilde is not expanded here; write the whole path");
    if (including_.size() >= max_include_depth) {
      return refuse(fmt::format("files include one another more than {} deep", max_include_depth));
    }
    if (problems_.file_count() >= max_files) return refuse(fmt::format("more than {} files", max_files));
    const std::string path = beside(problems_.file(name.at.file), name.text);
    auto file = read_text_file(path, max_file_bytes);
    if (!file) return refuse(file.error().text);
    if (const auto known = known_files_.find(file->identity); known != known_files_.end()) {
      const auto begin = std::find(including_.begin(), including_.end(), known->second);
      if (begin == including_.end()) return refuse("is already included; its parts would all be there twice");
      std::string circle;
      for (auto step = begin; step != including_.end(); ++step) circle += problems_.file(*step) + " -> ";
      return refuse(fmt::format("goes in a circle: {}", printable(circle + problems_.file(known->second), 1024)));
    }
    const std::size_t number = problems_.add_file(path);
    known_files_.emplace(file->identity, number);
    load(std::move(file->text), number);
  }

  // Sections. What refers to another part stays a draft until all files are read.

  void read_document(const Value& root) {
    const Fields top{root, {}, top_keys, problems_};
    if (const auto site = top.text("site"); site && once("site", site->at)) {
      if (site->text.size() > 128) top.refuse("site", site->at, "a name has at most 128 characters");
      config_.site.name = site->text;
    }
    each(top, "stores", "store", max_stores,
         [&](const Value& node, const std::string& owner) { read_store(node, owner); });
    each(top, "servers", "server", max_servers,
         [&](const Value& node, const std::string& owner) { read_server(node, owner); });
    links_given_ = links_given_ || top.find("links") != nullptr;
    each(top, "links", "link", max_links, [&](const Value& node, const std::string& owner) { read_link(node, owner); });
    each(top, "strangers", "stranger", max_strangers,
         [&](const Value& node, const std::string& owner) { read_stranger(node, owner); });
    if (const Value* const mras = section(top, "mras")) read_mras(*mras);
    if (const Value* const thresholds = section(top, "thresholds")) read_thresholds(*thresholds);
    if (const Value* const limits = section(top, "limits")) read_limits(*limits);
    if (const Value* const names = section(top, "resolve")) read_resolve(*names);
    if (const Value* const network = section(top, "network")) read_network(*network);
    if (const Entry* const fetch = top.find("fetch"); fetch != nullptr && once("fetch", fetch->at))
      config_.fetch = top.boolean("fetch").value_or(false);
    if (const Entry* const ocsp = top.find("ocsp"); ocsp != nullptr && once("ocsp", ocsp->at))
      config_.ocsp = top.boolean("ocsp").value_or(false);
    if (const Entry* const mode = top.find("revocation"); mode != nullptr && once("revocation", mode->at))
      config_.site.policy.revocation = top.choice("revocation", revocation_words);
    if (const Entry* const relay = top.find("relay"); relay != nullptr && once("relay", relay->at))
      config_.try_everywhere.relay = top.boolean("relay").value_or(false);
  }

  const Value* section(const Fields& top, std::string_view key) {
    const Entry* const entry = top.find(key);
    return entry == nullptr ? nullptr : mapping_of(*entry, {}, problems_);
  }

  template <class Read>
  void each(const Fields& top, std::string_view key, std::string_view what, std::size_t limit, Read read) {
    const Entry* const entry = top.find(key);
    const Value* const list = entry == nullptr ? nullptr : list_of(*entry, {}, problems_);
    if (list == nullptr) return;
    std::size_t ordinal = 0;
    for (const ValueRef& item : list->items) {
      if (++counts_[std::string{key}] > limit) {
        problems_.add(item->at, fmt::format("{}: more than {} of them", key, limit));
        return;
      }
      ++ordinal;
      if (item->type == Value::Type::mapping) {
        read(*item, owner_of(*item, what, ordinal));
      } else {
        problems_.add(item->at,
                      fmt::format("{}: expected a mapping for each {}, got {}", key, what, to_string(item->type)));
        if (what != "link") complete_ = false;
      }
    }
  }

  static std::string owner_of(const Value& node, std::string_view what, std::size_t ordinal) {
    for (const Entry& entry : node.entries) {
      if (entry.key == "name" && entry.value->type == Value::Type::text && !entry.value->text.empty()) {
        return fmt::format("{} {}", what, in_quotes(entry.value->text));
      }
    }
    return fmt::format("{} {}", what, ordinal);
  }

  /// Whether `key`, which may be given in one of the files only, is given for the first time.
  bool once(const std::string& key, Position at) {
    const auto [first, fresh] = given_.try_emplace(key, at);
    if (!fresh) {
      problems_.add(at, fmt::format("{}: is already given at {}; it can stand once in all files together",
                                    printable(key), problems_.where(first->second)));
    }
    return fresh;
  }

  void remember(const std::string& key, Position at) { positions_[key] = problems_.where(at); }

  /// The name of a part, when it is one and no other of its kind has it.
  std::optional<std::string> own_name(const Fields& fields, std::string_view what, std::string_view example,
                                      std::string (*fault_of)(std::string_view)) {
    fields.require("name", example);
    const auto name = fields.text("name");
    if (!name) {
      complete_ = false;
      return std::nullopt;
    }
    if (const std::string fault = fault_of(name->text); !fault.empty()) {
      problems_.add(name->at, fmt::format("name of {}: {}", what, fault));
      complete_ = false;
      return std::nullopt;
    }
    const auto [first, fresh] = given_.try_emplace(fmt::format("{} {}", what, to_lower(name->text)), name->at);
    if (!fresh) {
      problems_.add(name->at, fmt::format("name of {}: another {} is already named {}, at {}", what, what,
                                          in_quotes(name->text), problems_.where(first->second)));
      return std::nullopt;
    }
    return name->text;
  }

  std::string path_of(const Fields& fields, std::string_view key, const Located& value, Expected expected) {
    if (value.text == "~" || value.text.starts_with("~/")) {
      fields.refuse(key, value.at,
                    fmt::format("{}: a tilde is not expanded here; write the whole path", in_quotes(value.text)));
      return value.text;
    }
    std::string path = beside(problems_.file(value.at.file), value.text);
    const std::string why = why_unreadable(path, expected);
    if (!why.empty()) fields.refuse(key, value.at, fmt::format("{}: {}", printable(path, 1024), why));
    return path;
  }

  std::optional<std::string> path(const Fields& fields, std::string_view key, Expected expected) {
    const auto value = fields.text(key);
    if (!value) return std::nullopt;
    return path_of(fields, key, *value, expected);
  }

  std::optional<SecretSource> secret(const Fields& fields, std::string_view key) {
    const auto value = fields.text(key);
    if (!value) return std::nullopt;
    auto source = parse_secret_source(value->text);
    if (!source) {
      fields.refuse(key, value->at, source.error().text);
      return std::nullopt;
    }
    if (source->kind == SecretSource::Kind::file) {
      source->value = path_of(fields, key, {source->value, value->at}, Expected::secret);
    }
    return *source;
  }

  void read_store(const Value& node, const std::string& owner) {
    const Fields fields{node, owner, store_keys, problems_};
    StoreDraft draft;
    const auto name = own_name(fields, "store", "name: ad", not_a_store_name);
    const auto kind = fields.choice("kind", store_kinds);
    draft.spec.kind = kind.value_or(StoreKind::mixed);
    draft.host = fields.text("host");

    const Entry* const ldap = fields.find("ldap");
    const Entry* const file = fields.find("file");
    if (ldap == nullptr && file == nullptr) {
      problems_.add(node.at,
                    fmt::format("{}: says neither 'ldap' nor 'file', so there is nothing to read; add one", owner));
    }
    if (ldap != nullptr && file != nullptr) {
      problems_.add(std::max(ldap->at, file->at),
                    fmt::format("{}: has both 'ldap' and 'file'; make two stores of it", owner));
    }
    draft.spec.directory = ldap != nullptr;
    if (ldap == nullptr) {
      refuse_directory_keys(fields);
    } else if (kind && *kind != StoreKind::mixed) {
      fields.refuse("kind", fields.find("kind")->value->at,
                    "a directory service says itself what each container is for; leave 'kind' out");
    }
    if (const auto paths = fields.texts("file")) {
      if (is_empty_list(*file)) fields.refuse("file", file->value->at, "is an empty list; name a file or a directory");
      for (const Located& item : *paths) {
        draft.source.paths.push_back(path_of(fields, "file", item, Expected::file_or_directory));
      }
    }
    if (ldap != nullptr) read_directory_keys(fields, draft);
    draft.source.passphrase = secret(fields, "passphrase");
    if (const Entry* const passphrase = fields.find("passphrase"); passphrase != nullptr && ldap != nullptr) {
      problems_.add(passphrase->at, fmt::format("{}: opens PKCS #12 files and goes with 'file' only",
                                                label("passphrase", fields.owner())));
    }

    if (!name) return;
    draft.spec.name = draft.source.name = *name;
    for (const char* const key : {"file", "ldap", "ca", "bind", "passphrase"}) {
      if (const Entry* const entry = fields.find(key))
        remember(fmt::format("stores.{}.{}", *name, key), entry->value->at);
    }
    stores_.push_back(std::move(draft));
  }

  void refuse_directory_keys(const Fields& fields) {
    for (const std::string_view key : directory_keys) {
      if (const Entry* const entry = fields.find(key)) {
        problems_.add(entry->at, fmt::format("{}: says how to read a directory service and goes with 'ldap' only",
                                             label(key, fields.owner())));
      }
    }
  }

  void read_directory_keys(const Fields& fields, StoreDraft& draft) {
    StoreSource& source = draft.source;
    bool clear_text = false;
    bool only_local = true;
    bool any_local = false;
    if (const auto uris = fields.texts("ldap")) {
      if (is_empty_list(*fields.find("ldap")))
        fields.refuse("ldap", fields.find("ldap")->value->at, "is an empty list; name a server");
      for (const Located& uri : *uris) {
        const std::string fault = not_a_directory_uri(uri.text);
        if (!fault.empty()) fields.refuse("ldap", uri.at, fault);
        clear_text = clear_text || to_lower(uri.text).starts_with("ldap://");
        only_local = only_local && to_lower(uri.text).starts_with("ldapi://");
        any_local = any_local || to_lower(uri.text).starts_with("ldapi://");
        source.ldap_uris.push_back(uri.text);
      }
    }
    source.starttls = fields.choice("starttls", starttls_words).value_or(source.starttls);
    source.ca_file = path(fields, "ca", Expected::file).value_or("");
    source.verify_server = fields.boolean("verify").value_or(true);
    if (const auto base = fields.text("base")) source.base = base->text;
    source.size_limit = fields.number("size-limit", 1, 10'000'000).value_or(source.size_limit);
    const Entry* const entry = fields.find("bind");
    const Value* const bind = entry == nullptr ? nullptr : mapping_of(*entry, fields.owner(), problems_);
    if (bind == nullptr) return;
    const Fields credentials{*bind, fmt::format("bind of {}", fields.owner()), bind_keys, problems_};
    const bool no_tls = source.starttls == StartTls::off && clear_text;
    const bool only_tls = !any_local && (!clear_text || source.starttls == StartTls::required);
    if (credentials.find("sasl") != nullptr) return read_sasl(credentials, {only_local, only_tls, no_tls}, source);
    credentials.require("dn", "dn: \"CN=reader,DC=contoso,DC=example\"");
    credentials.require("password", "password: file:/etc/mrascheck/ldap.pass");
    const auto dn = credentials.text("dn");
    auto password = secret(credentials, "password");
    if (dn && password) source.bind = LdapBind{.dn = dn->text, .password = std::move(*password)};
    refuse_keys(credentials, {"channel-binding", "certificate", "key"}, "goes with 'sasl' only");
    if (no_tls) {
      fields.refuse(
          "starttls", fields.find("starttls")->value->at,
          "the password of 'bind' would travel over ldap:// in clear text; use automatic or required, or ldaps://");
    }
  }

  void refuse_keys(const Fields& fields, std::initializer_list<std::string_view> keys, std::string_view why) {
    for (const std::string_view key : keys) {
      if (const Entry* const entry = fields.find(key))
        problems_.add(entry->at, fmt::format("{}: {}", label(key, fields.owner()), why));
    }
  }

  /// What is known of all URIs of a store.
  struct Ways {
    bool only_local;
    bool only_tls;
    bool no_tls;  ///< for one of them at least
  };
  void read_sasl(const Fields& credentials, const Ways& ways, StoreSource& source) {
    refuse_keys(credentials, {"dn", "password"}, "goes with a simple bind; with 'sasl' leave it out");
    const auto method = credentials.choice("sasl", sasl_words);
    if (!method) return;
    LdapBind bind{.dn = {}, .password = {}, .method = *method};
    const Position at = credentials.find("sasl")->value->at;
    if (*method == LdapBind::Method::gssapi) {
      bind.channel_binding = credentials.boolean("channel-binding").value_or(false);
      refuse_keys(credentials, {"certificate", "key"}, "goes with 'sasl: external' only");
      if (bind.channel_binding && !ways.only_tls) {
        credentials.refuse("channel-binding", credentials.find("channel-binding")->value->at,
                           "binds to a TLS certificate, and not every URI leads to one; use ldaps://, or 'starttls: "
                           "required'");
      }
    } else {
      refuse_keys(credentials, {"channel-binding"}, "goes with 'sasl: gssapi' only");
      bind.certificate = path(credentials, "certificate", Expected::file).value_or("");
      bind.key = path(credentials, "key", Expected::file).value_or("");
      needs(credentials, "certificate", "key");
      needs(credentials, "key", "certificate");
      const bool has_certificate = credentials.find("certificate") != nullptr;
      if (!ways.only_local && !has_certificate) {
        credentials.refuse("sasl", at,
                           "external goes by the user of ldapi://, or by 'certificate' and 'key' under TLS");
      }
      if (ways.no_tls && has_certificate) {
        credentials.refuse("certificate", credentials.find("certificate")->value->at,
                           "is shown under TLS only, and 'starttls' is off; use automatic or required, or ldaps://");
      }
    }
    source.bind = std::move(bind);
  }

  void read_server(const Value& node, const std::string& owner) {
    const Fields fields{node, owner, server_keys, problems_};
    ServerDraft draft;
    draft.at = node.at;
    Server& server = draft.server;
    IdentitySource& identity = draft.identity;
    const auto name = own_name(fields, "server", "name: fe1.contoso.example", not_a_host_name);
    fields.require("role", "role: front-end");
    server.role = fields.choice("role", roles).value_or(Role::front_end);
    draft.pool = host_name(fields, "pool");
    if (draft.pool) server.pool = draft.pool->text;
    if (const auto dns = host_name(fields, "dns")) server.dns = dns->text;
    if (const auto addresses = fields.texts("addresses")) {
      server.addresses = literals(*addresses, "addresses", owner);
      if (addresses->empty()) {
        problems_.add(
            fields.find("addresses")->value->at,
            fmt::format("{}: is an empty list; give it addresses, or leave the key out to have the name resolved",
                        label("addresses", owner)));
      }
    }
    if (fields.find("addresses") != nullptr && fields.find("dns") != nullptr) {
      problems_.add(
          std::max(fields.find("addresses")->at, fields.find("dns")->at),
          fmt::format("{}: has both 'dns' and 'addresses'; with addresses no name is resolved, leave one out", owner));
    }
    if (const auto patch = fields.text("patch-level")) {
      const std::string fault = not_a_patch_level(patch->text);
      if (!fault.empty()) fields.refuse("patch-level", patch->at, fault);
      server.patch_level = patch->text;
    }
    server.profile = fields.choice("profile", profiles);
    if (const Entry* const entry = fields.find("profile"); entry != nullptr && server.role == Role::edge) {
      fields.refuse("profile", entry->value->at, "says how a Front End asks, and this is an Edge; leave it out");
    }

    identity.certificate = path(fields, "certificate", Expected::file).value_or("");
    identity.key = path(fields, "key", Expected::file).value_or("");
    identity.passphrase = secret(fields, "passphrase");
    if (const auto chain = fields.text("chain")) {
      if (chain->text == "stores") {
        server.chain = ChainMode::from_stores;
        draft.chain_from_stores = chain->at;
      } else {
        identity.chain = path_of(fields, "chain", *chain, Expected::file);
      }
    }
    needs(fields, "key", "certificate");
    needs(fields, "chain", "certificate");
    needs(fields, "passphrase", "key");
    server.has_identity = !identity.certificate.empty() && !identity.key.empty();
    draft.trusts = fields.texts("trusts");
    draft.intermediates = fields.texts("intermediates");

    if (!name) return;
    server.name = identity.server = *name;
    read_files(fields, "patch-report", *name, config_.patches);
    read_files(fields, "traces", *name, config_.traces);
    for (const char* const key : {"certificate", "key", "chain", "passphrase"}) {
      if (const Entry* const entry = fields.find(key)) {
        remember(fmt::format("identities.{}.{}", *name, key), entry->value->at);
      }
    }
    servers_.push_back(std::move(draft));
  }

  void read_files(const Fields& fields, std::string_view key, const std::string& server,
                  std::vector<ServerFiles>& into) {
    const auto paths = fields.texts(key);
    if (!paths) return;
    if (is_empty_list(*fields.find(key)))
      fields.refuse(key, fields.find(key)->value->at, "is an empty list; name a file");
    ServerFiles& files = into.emplace_back();
    files.server = server;
    for (const Located& item : *paths) files.paths.push_back(path_of(fields, key, item, Expected::file));
  }

  /// `key` means nothing where `other` is not given.
  void needs(const Fields& fields, std::string_view key, std::string_view other) {
    const Entry* const entry = fields.find(key);
    if (entry == nullptr || fields.find(other) != nullptr) return;
    problems_.add(entry->at,
                  fmt::format("{}: means nothing without '{}'; add that", label(key, fields.owner()), other));
  }

  std::optional<Located> host_name(const Fields& fields, std::string_view key) {
    auto name = fields.text(key);
    if (!name) return std::nullopt;
    const std::string fault = not_a_host_name(name->text);
    if (fault.empty()) return name;
    fields.refuse(key, name->at, fault);
    return std::nullopt;
  }

  std::vector<std::string> literals(const std::vector<Located>& texts, std::string_view key, std::string_view owner) {
    std::vector<std::string> addresses;
    for (const Located& text : texts) {
      const std::string fault = not_an_address(text.text);
      if (!fault.empty()) problems_.add(text.at, fmt::format("{}: {}", label(key, owner), fault));
      if (std::find(addresses.begin(), addresses.end(), text.text) == addresses.end()) addresses.push_back(text.text);
    }
    return addresses;
  }

  void read_link(const Value& node, const std::string& owner) {
    const Fields fields{node, owner, link_keys, problems_};
    LinkDraft draft;
    draft.at = node.at;
    fields.require("from", "from: fe1.contoso.example");
    fields.require("to", "to: edge1.contoso.example");
    draft.from = fields.text("from");
    draft.to = fields.text("to");
    draft.port = static_cast<std::uint16_t>(fields.number("port", 1, 65535).value_or(draft.port));
    draft.service = fields.choice("service", services).value_or(draft.service);
    draft.expect = fields.choice("expect", expectations).value_or(draft.expect);
    read_versions(fields, draft);
    read_trials(fields, draft);
    read_profile(fields, draft);
    if (const auto sni = fields.text("sni")) {
      const std::string fault = sni->text == "off" ? "" : not_a_host_name(sni->text);
      if (!fault.empty()) fields.refuse("sni", sni->at, fault + "; or write off");
      draft.server_name = sni->text == "off" ? "" : sni->text;
    }
    if (draft.from && draft.to) links_.push_back(std::move(draft));
  }

  void read_profile(const Fields& fields, LinkDraft& draft) {
    draft.profile = fields.choice("profile", profiles);
    const Entry* const entry = fields.find("profile");
    if (entry == nullptr || draft.service == Service::mras) return;
    fields.refuse("profile", entry->value->at, "goes with 'service: mras' only; leave it out");
  }

  void read_trials(const Fields& fields, LinkDraft& draft) {
    draft.trials.relay = fields.boolean("relay");
    if (draft.trials.asks_relay() && (draft.expect == Expectation::refuse || draft.service != Service::mras)) {
      fields.refuse("relay", fields.find("relay")->value->at,
                    "goes with links of 'service: mras' that are to be accepted: nobody else grants the credentials");
    }
    const auto words = fields.texts("try");
    if (!words) return;
    for (const Located& word : *words) {
      draft.trials.identities = draft.trials.identities || word.text == trial_words[0];
      draft.trials.offer = draft.trials.offer || word.text == trial_words[1];
      draft.trials.chains = draft.trials.chains || word.text == trial_words[2];
      if (std::find(trial_words.begin(), trial_words.end(), word.text) != trial_words.end()) continue;
      fields.refuse("try", word.at,
                    fmt::format("unknown value {}, allowed are {}", in_quotes(word.text), enumerate(trial_words)));
    }
    if (draft.trials.any() && draft.expect == Expectation::refuse) {
      fields.refuse("try", fields.find("try")->value->at,
                    "goes with links that are to be accepted: what is tried is held against what they get");
    }
  }

  void read_stranger(const Value& node, const std::string& owner) {
    const Fields fields{node, owner, stranger_keys, problems_};
    StrangerSource stranger;
    fields.require("kind", "kind: foreign-ca");
    fields.require("certificate", "certificate: stranger.crt");
    fields.require("key", "key: stranger.key");
    stranger.kind = fields.choice("kind", stranger_kinds).value_or(stranger.kind);
    stranger.expect = fields.choice("expect", expectations);
    IdentitySource& source = stranger.source;
    source.certificate = path(fields, "certificate", Expected::file).value_or("");
    source.key = path(fields, "key", Expected::file).value_or("");
    source.chain = path(fields, "chain", Expected::file).value_or("");
    source.passphrase = secret(fields, "passphrase");
    config_.strangers.push_back(std::move(stranger));
  }

  void read_versions(const Fields& fields, LinkDraft& draft) {
    const Entry* const entry = fields.find("tls");
    const Value* const ends = entry == nullptr ? nullptr : mapping_of(*entry, fields.owner(), problems_);
    if (ends == nullptr) return;
    const Fields range{*ends, fmt::format("tls of {}", fields.owner()), tls_keys, problems_};
    if (ends->entries.empty()) fields.refuse("tls", ends->at, "is empty; give 'min', 'max' or both");
    const auto min = range.choice("min", tls_versions);
    const auto max = range.choice("max", tls_versions);
    draft.tls = TlsRange{};
    // With one end given, the other follows where it must.
    draft.tls->min = min.value_or(std::min(draft.tls->min, max.value_or(draft.tls->max)));
    draft.tls->max = max.value_or(draft.tls->max);
    if (min && max && *min > *max) {
      range.refuse("min", range.find("min")->value->at, "is above 'max', so that no version is left");
      draft.tls.reset();
    }
  }

  void read_network(const Value& node) {
    const Fields fields{node, "network", network_keys, problems_};
    const auto given = [&](std::string_view key) -> std::optional<std::vector<Located>> {
      const Entry* const entry = fields.find(key);
      if (entry == nullptr || !once(fmt::format("network.{}", key), entry->at)) return std::nullopt;
      auto texts = fields.texts(key);
      if (texts && texts->empty()) fields.refuse(key, entry->value->at, "is an empty list; leave the key out instead");
      return texts;
    };
    if (const auto servers = given("name-servers")) {
      for (const Located& server : *servers) {
        const std::string fault = not_a_name_server(server.text);
        if (!fault.empty()) fields.refuse("name-servers", server.at, fault);
        config_.network.name_servers.push_back(server.text);
      }
    }
    if (const auto sources = given("source")) {
      std::array<bool, 2> known{};
      for (const Located& source : *sources) {
        const std::string fault = not_an_address(source.text);
        if (!fault.empty()) fields.refuse("source", source.at, fault);
        const std::size_t family = source.text.find(':') == std::string::npos ? 0 : 1;
        if (std::exchange(known[family], true)) {
          fields.refuse("source", source.at, fmt::format("is the second of IPv{}; give one", family == 0 ? 4 : 6));
        }
        config_.network.sources.push_back(source.text);
      }
    }
  }

  void read_mras(const Value& node) {
    const Fields fields{node, "mras", mras_keys, problems_};
    MrasQuestion& mras = config_.site.mras;
    const auto value = [&](std::string_view key) -> std::optional<Located> {
      const Entry* const entry = fields.find(key);
      if (entry == nullptr || !once(fmt::format("mras.{}", key), entry->at)) return std::nullopt;
      return fields.text(key);
    };
    if (const auto identity = value("identity")) {
      const std::string fault = not_a_sip_user(identity->text);
      if (!fault.empty()) fields.refuse("identity", identity->at, fault);
      mras.identity = identity->text;
    }
    if (value("location")) mras.location = fields.choice("location", locations).value_or(mras.location);
    if (value("profile")) mras.profile = fields.choice("profile", profiles);
    if (const Entry* const entry = fields.find("options-first");
        entry != nullptr && once("mras.options-first", entry->at))
      mras.options_first = fields.boolean("options-first").value_or(false);
    if (const auto duration = value("duration")) {
      const auto time = fields.duration("duration", 1min, 720h);
      if (time && *time % 1min != 0ms) {
        fields.refuse("duration", duration->at,
                      fmt::format("MRAS counts whole minutes, {} is not", in_quotes(duration->text)));
      } else if (time) {
        mras.duration = std::chrono::duration_cast<std::chrono::minutes>(*time);
      }
    }
    if (const auto service = value("service")) {
      const std::string fault = not_a_sip_service(service->text);
      if (!fault.empty()) fields.refuse("service", service->at, fault);
      mras.service_uri = service->text;
    }
  }

  void read_thresholds(const Value& node) {
    std::vector<std::string_view> names;
    for (const Metric& metric : metrics()) names.push_back(metric.name);
    const Fields fields{node, "thresholds", names, problems_};
    for (const std::string_view name : names) {
      const Entry* const entry = fields.find(name);
      const Value* const ranges = entry == nullptr ? nullptr : mapping_of(*entry, fields.owner(), problems_);
      if (ranges == nullptr || !once(fmt::format("thresholds.{}", name), entry->at)) continue;
      const Fields pair{*ranges, fmt::format("threshold '{}'", name), threshold_keys, problems_};
      Thresholds& thresholds = config_.site.policy.thresholds[std::string{name}];
      if (const auto range = read_range(pair, "warning")) thresholds.warning = range;
      if (const auto range = read_range(pair, "critical")) thresholds.critical = range;
      if (ranges->entries.empty()) fields.refuse(name, ranges->at, "is empty; give 'warning', 'critical' or both");
    }
  }

  static std::optional<Range> read_range(const Fields& fields, std::string_view key) {
    const auto text = fields.text(key);
    if (!text) return std::nullopt;
    auto range = parse_range(text->text);
    if (range) return *range;
    fields.refuse(key, text->at, range.error().text);
    return std::nullopt;
  }

  void read_limits(const Value& node) {
    const Fields fields{node, "limits", limit_keys, problems_};
    const auto given = [&](std::string_view key) {
      const Entry* const entry = fields.find(key);
      return entry != nullptr && once(fmt::format("limits.{}", key), entry->at);
    };
    Limits& limits = config_.limits;
    if (given("step")) limits.step = fields.duration("step", 1ms, 1h).value_or(limits.step);
    if (given("quiet")) limits.quiet = fields.duration("quiet", 1ms, 1h).value_or(limits.quiet);
    if (given("deadline")) limits.deadline = fields.duration("deadline", 1ms, 1h).value_or(limits.deadline);
    if (given("parallel")) {
      limits.parallel =
          static_cast<unsigned>(fields.number("parallel", 1, Limits::most_at_once).value_or(limits.parallel));
    }
    if (given("per-host")) {
      limits.per_host =
          static_cast<unsigned>(fields.number("per-host", 1, Limits::most_at_once).value_or(limits.per_host));
    }
  }

  void read_resolve(const Value& node) {
    for (const Entry& entry : node.entries) {
      if (const std::string fault = not_a_host_name(entry.key); !fault.empty()) {
        problems_.add(entry.at, fmt::format("resolve: {}", fault));
        continue;
      }
      if (!once(fmt::format("resolve.{}", to_lower(entry.key)), entry.at)) continue;
      if (entry.value->type == Value::Type::nothing) {
        problems_.add(entry.at, fmt::format("{}: has no value; give it addresses", label(entry.key, "resolve")));
      }
      const auto texts = texts_of(entry, "resolve", problems_);
      if (!texts) continue;
      if (is_empty_list(entry)) {
        problems_.add(entry.value->at,
                      fmt::format("{}: is an empty list; give it addresses", label(entry.key, "resolve")));
      }
      config_.resolve[entry.key] = literals(*texts, entry.key, "resolve");
    }
  }

  // References between the parts. With a part missing (a file unread, a name unusable) most would only seem wrong.

  void connect() {
    for (StoreDraft& draft : stores_) store_numbers_.emplace(to_lower(draft.spec.name), store_numbers_.size());
    for (const StoreDraft& draft : stores_) store_names_.push_back(draft.spec.name);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const Server& server = servers_[i].server;
      members_[to_lower(server.name)].push_back(i);
      if (!server.pool.empty() && !equals_ignoring_case(server.pool, server.name)) {
        members_[to_lower(server.pool)].push_back(i);
      }
      place_names_.push_back(server.name);
      if (!server.pool.empty()) place_names_.push_back(server.pool);
    }
    connect_pools();
    connect_stores();
    connect_servers();
    for (const ServerDraft& draft : servers_) config_.site.servers.push_back(draft.server);
    for (const StoreDraft& draft : stores_) {
      config_.site.stores.push_back(draft.spec);
      config_.stores.push_back(draft.source);
    }
    for (const ServerDraft& draft : servers_) {
      if (!draft.identity.certificate.empty()) config_.identities.push_back(draft.identity);
    }
    connect_links();
    connect_names();
    check_whole();
  }

  std::vector<std::size_t> members(const Located& name) const {
    const auto found = members_.find(to_lower(name.text));
    return found == members_.end() ? std::vector<std::size_t>{} : found->second;
  }

  /// Pools: one spelling, one role, and no pool with the name of a server outside it.
  void connect_pools() {
    std::map<std::string, std::size_t> first_of;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      ServerDraft& draft = servers_[i];
      if (!draft.pool) continue;
      const std::string key = to_lower(draft.pool->text);
      const ServerDraft& first = servers_[first_of.try_emplace(key, i).first->second];
      draft.server.pool = first.server.pool;
      if (first.server.role != draft.server.role) {
        problems_.add(draft.pool->at,
                      fmt::format("pool of server {}: {} has a {} in it already ({}); a pool has one role",
                                  in_quotes(draft.server.name), in_quotes(draft.pool->text),
                                  to_string(first.server.role), first.server.name));
      }
      if (given_.contains("server " + key) && !equals_ignoring_case(draft.pool->text, draft.server.name)) {
        problems_.add(draft.pool->at,
                      fmt::format("pool of server {}: {} is the name of another server; a pool has a name "
                                  "of its own, or that of its only server",
                                  in_quotes(draft.server.name), in_quotes(draft.pool->text)));
      }
    }
  }

  void connect_stores() {
    for (StoreDraft& draft : stores_) {
      if (!draft.host) continue;
      const auto hosts = members(*draft.host);
      if (hosts.empty()) {
        unknown_place(fmt::format("host of store {}", in_quotes(draft.spec.name)), *draft.host);
      } else {
        draft.spec.host = spelled(*draft.host, servers_[hosts.front()].server);
      }
    }
  }

  /// `name` as its server or pool was first written.
  static std::string spelled(const Located& name, const Server& member) {
    return equals_ignoring_case(name.text, member.name) ? member.name : member.pool;
  }

  void unknown_place(const std::string& whose, const Located& name) {
    if (!complete_) return;
    const std::string near = problems_.suggestion(name.text, place_names_);
    problems_.add(name.at, fmt::format("{}: there is no server or pool {}{}", whose, in_quotes(name.text),
                                       near.empty() ? "; add it under 'servers'" : near));
  }

  void connect_servers() {
    for (ServerDraft& draft : servers_) {
      Server& server = draft.server;
      server.trusts = stores_of(draft, draft.trusts, "trusts", {StoreKind::root, StoreKind::mixed});
      server.intermediates =
          stores_of(draft, draft.intermediates, "intermediates", {StoreKind::intermediate, StoreKind::mixed});
      if (complete_ && draft.chain_from_stores && server.intermediates.empty() && server.trusts.empty()) {
        problems_.add(
            *draft.chain_from_stores,
            fmt::format("chain of server {}: no stores to make it from; name them under 'intermediates' (a file "
                        "called stores is written ./stores)",
                        in_quotes(server.name)));
      }
    }
  }

  /// The stores named; where none are named, those that stand on the server or belong to its pool, if of a kind that
  /// fits.
  std::vector<std::string> stores_of(const ServerDraft& draft, const std::optional<std::vector<Located>>& names,
                                     std::string_view key, std::array<StoreKind, 2> fitting) {
    const Server& server = draft.server;
    const auto fits = [&](StoreKind kind) { return kind == fitting[0] || kind == fitting[1]; };
    std::vector<std::string> stores;
    if (!names) {
      for (const StoreDraft& store : stores_) {
        const bool own = !store.spec.host.empty() && (equals_ignoring_case(store.spec.host, server.name) ||
                                                      equals_ignoring_case(store.spec.host, server.pool));
        if (own && fits(store.spec.kind)) stores.push_back(store.spec.name);
      }
      return stores;
    }
    for (const Located& name : *names) {
      const std::string whose = fmt::format("{} of server {}", key, in_quotes(server.name));
      const auto found = store_numbers_.find(to_lower(name.text));
      if (found == store_numbers_.end()) {
        if (!complete_) continue;
        const std::string near = problems_.suggestion(name.text, store_names_);
        problems_.add(name.at, fmt::format("{}: there is no store {}{}", whose, in_quotes(name.text),
                                           near.empty() ? "; add it under 'stores'" : near));
        continue;
      }
      const StoreSpec& store = stores_[found->second].spec;
      if (key == "trusts" && !fits(store.kind)) {
        problems_.add(
            name.at, fmt::format("{}: store {} is of kind {} and holds no roots; name one of kind root or mixed", whose,
                                 in_quotes(store.name), to_string(store.kind)));
      } else if (std::find(stores.begin(), stores.end(), store.name) == stores.end()) {
        stores.push_back(store.name);
      }
    }
    return stores;
  }

  void connect_links() {
    if (!links_given_) {
      const bool has_edge = std::any_of(servers_.begin(), servers_.end(),
                                        [](const ServerDraft& draft) { return draft.server.role == Role::edge; });
      for (const ServerDraft& from : servers_) {
        if (from.server.role != Role::front_end) continue;
        if (!from.server.has_identity) {
          if (!from.identity.certificate.empty() && complete_ && has_edge) {
            problems_.add(from.at, fmt::format("server {}: it has a certificate but no key, and no links are given, so "
                                               "none would begin at it; add its key, or say which links there are",
                                               in_quotes(from.server.name)));
          }
          continue;
        }
        for (const ServerDraft& to : servers_) {
          if (to.server.role != Role::edge) continue;
          if (!add_link({from.server.name, to.server.name}, from.at, "no links are given, so ")) return;
        }
      }
      return;
    }
    for (const LinkDraft& draft : links_) {
      const auto from = members(*draft.from);
      const auto to = members(*draft.to);
      if (from.empty()) unknown_place("from of link", *draft.from);
      if (to.empty()) unknown_place("to of link", *draft.to);
      if (from.size() == 1 && from == to) {
        problems_.add(draft.to->at, fmt::format("to of link: {} would shake hands with itself; name two servers",
                                                in_quotes(draft.to->text)));
      }
      for (const std::size_t f : from) {
        const Server& client = servers_[f].server;
        if (!client.has_identity && complete_) {
          problems_.add(draft.from->at,
                        fmt::format("from of link: server {} has no certificate and key, so it cannot be "
                                    "the client; give it both",
                                    in_quotes(client.name)));
        }
        for (const std::size_t t : to) {
          if (f == t) continue;
          const Link link{client.name, servers_[t].server.name, draft.port,   draft.service, draft.expect,
                          draft.tls,   draft.server_name,       draft.profile};
          const auto [first, fresh] = given_.try_emplace("link " + to_lower(link.id()), draft.at);
          if (!fresh) {
            problems_.add(draft.at, fmt::format("link {}: is already given at {}; say each once", link.id(),
                                                problems_.where(first->second)));
            continue;
          }
          if (link.service == Service::mras && servers_[t].server.role != Role::edge) {
            problems_.add(draft.to->at, fmt::format("to of link: {} is a front-end, and only Edges answer MRAS; add "
                                                    "'service: sip' or 'service: tls'",
                                                    in_quotes(link.to)));
          }
          remember(fmt::format("links.{}", config_.site.links.size()), draft.at);
          if (draft.trials.any() || draft.trials.relay) config_.trials[config_.site.links.size()] = draft.trials;
          if (!add_link(link, draft.at, "")) return;
        }
      }
    }
  }

  bool add_link(Link link, Position at, std::string_view because) {
    std::vector<Link>& links = config_.site.links;
    if (links.size() == max_links) {
      problems_.add(at, fmt::format("more than {} links, pools spread over their members", max_links));
      return false;
    }
    if (link.service == Service::mras && complete_ && given_.try_emplace("mras.identity", at).second) {
      problems_.add(at,
                    fmt::format("mras: identity is missing; {}{} asks for MRAS credentials, which needs a user: add "
                                "'mras: {{identity: \"sip:probe@contoso.example\"}}'",
                                because, link.id()));
    }
    links.push_back(std::move(link));
    return true;
  }

  /// Names under 'resolve' get the spelling of the server that they are for.
  void connect_names() {
    std::map<std::string, std::string> spelling;
    for (const ServerDraft& draft : servers_) {
      spelling.try_emplace(to_lower(draft.server.resolved_name()), draft.server.resolved_name());
    }
    std::map<std::string, std::vector<std::string>> resolve;
    for (auto& [name, addresses] : config_.resolve) {
      const auto known = spelling.find(to_lower(name));
      resolve.emplace(known == spelling.end() ? name : known->second, std::move(addresses));
    }
    config_.resolve = std::move(resolve);
  }

  void check_whole() {
    const Limits& limits = config_.limits;
    if (limits.quiet >= limits.deadline) {
      const auto quiet = given_.find("limits.quiet");
      problems_.add(quiet == given_.end() ? given_.at("limits.deadline") : quiet->second,
                    "limits: 'quiet' must be shorter than 'deadline', or no peer can ever be said to have accepted");
    }
    if (!all_read_) return;
    const Position start{0, 1, 1};
    if (!given_.contains("site") && !names_key("site")) {
      problems_.add(start, "site: is missing; add 'site: NAME', the name that reports and recordings carry");
    }
    if (problems_.empty() && stores_.empty() && servers_.empty()) {
      problems_.add(start, "nothing to look at: there are neither 'stores' nor 'servers'");
    }
  }

  bool names_key(std::string_view key) const {
    return std::any_of(documents_.begin(), documents_.end(), [&](const auto& document) {
      const auto& entries = document.second->entries;
      return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    });
  }

  Problems problems_;
  Config config_ = [] {
    Config config;
    config.site.policy = Policy::defaults();
    return config;
  }();
  std::map<std::string, std::string> positions_;

  std::vector<std::pair<std::size_t, ValueRef>> documents_;
  std::vector<std::size_t> including_;
  std::map<FileIdentity, std::size_t> known_files_;
  bool all_read_ = true;
  bool complete_ = true;  ///< every file was read and every store and server has a name of its own

  std::map<std::string, Position> given_;  ///< what may be there once: keys of the whole, names, links
  std::map<std::string, std::size_t> counts_;
  std::vector<StoreDraft> stores_;
  std::vector<ServerDraft> servers_;
  std::vector<LinkDraft> links_;
  bool links_given_ = false;

  std::map<std::string, std::size_t> store_numbers_;
  std::map<std::string, std::vector<std::size_t>> members_;  ///< of servers and pools, names in lower case
  std::vector<std::string_view> store_names_;
  std::vector<std::string_view> place_names_;
};

template <class Read>
ConfigFile guarded(const std::string& name, Read read) {
  try {
    Reader reader;
    read(reader);
    return std::move(reader).result();
  } catch (const std::exception& error) {
    ConfigFile failed;
    failed.problems.push_back(fmt::format("{}: cannot be read: {}", printable(name), printable(error.what())));
    return failed;
  }
}

}  // namespace

ConfigFile read_config(const std::string& path) {
  return guarded(path, [&](Reader& reader) { reader.read_path(path); });
}

ConfigFile read_config_text(std::string text, const std::string& name) {
  return guarded(name, [&](Reader& reader) { reader.read_named_text(std::move(text), name); });
}

}  // namespace mrascheck::yaml
