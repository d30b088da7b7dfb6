// SPDX-License-Identifier: Apache-2.0
#include "stores/registry.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "stores/elements.hpp"
#include "stores/encoding.hpp"
#include "stores/registry_text.hpp"

namespace mrascheck::stores {

static std::vector<std::string_view> parts_of(std::string_view path) {
  constexpr std::size_t most = 64;
  std::vector<std::string_view> parts;
  while (parts.size() < most) {
    const std::size_t end = path.find('\\');
    parts.push_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
  }
  return parts;
}

static bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view one) { return equals_ignoring_case(one, name); });
}

static StoreOrigin origin_of(const std::vector<std::string_view>& before, bool enterprise, bool in_policy) {
  const auto has = [&](std::string_view name) {
    return std::any_of(before.begin(), before.end(),
                       [name](std::string_view part) { return equals_ignoring_case(part, name); });
  };
  if (enterprise) return StoreOrigin::enterprise;
  if (!before.empty() && is_one_of(before.front(), {"HKEY_CURRENT_USER", "HKCU", "HKEY_USERS", "HKU"}))
    return StoreOrigin::user;
  if (in_policy || has("Policies")) return StoreOrigin::group_policy;
  return has("Services") ? StoreOrigin::service : StoreOrigin::local;
}

/// Of a logical store's name. Chains end in the root stores of the computer only; every other store but NTAuth and
/// Disallowed can at most lend issuers.
static StoreKind kind_of(std::string_view store, StoreOrigin origin) {
  if (is_one_of(store, {"Disallowed"})) return StoreKind::disallowed;
  if (is_one_of(store, {"NTAuth"})) return StoreKind::ntauth;
  const bool computer = origin != StoreOrigin::user && origin != StoreOrigin::service;
  return computer && is_one_of(store, {"Root", "AuthRoot", "SmartCardRoot"}) ? StoreKind::root
                                                                             : StoreKind::intermediate;
}

RegistryKey registry_key(std::string_view path, bool in_policy) {
  RegistryKey key;
  const std::vector<std::string_view> parts = parts_of(path);
  const auto root = std::find_if(parts.begin(), parts.end(), [](std::string_view part) {
    return is_one_of(part, {"SystemCertificates", "EnterpriseCertificates"});
  });
  // ...\SystemCertificates\STORE\Certificates\THUMBPRINT
  if (parts.end() - root != 4 || !is_one_of(root[2], {"Certificates", "CRLs", "CTLs"})) return key;
  key.holds =
      is_one_of(root[2], {"Certificates"}) ? RegistryKey::Holds::certificate : RegistryKey::Holds::other_context;
  FoundEntry& model = key.model;
  model.where = printable(fmt::format("{}\\{}\\{}", root[1], root[2], root[3]), 160);
  model.key_name = printable(root[3], 80);
  model.properties.origin = origin_of({parts.begin(), root}, is_one_of(*root, {"EnterpriseCertificates"}), in_policy);
  model.properties.windows_store = printable(root[1], 64);
  model.kind = kind_of(root[1], model.properties.origin);
  return key;
}

bool misplaced(std::string_view value_name, Bytes data) {
  return equals_ignoring_case(value_name, "Blob") && begins_with_element(data);
}

static constexpr std::string_view outside = "a Blob outside of any certificate store's key: not counted";

// Registry.pol ([MS-GPREG], 2.2.1): [key;value;type;size;data], the marks and both names UTF-16LE.

namespace {

struct PolicyEntry {
  std::string key;
  std::string name;
  std::uint32_t type = 0;
  Bytes data;
};

class PolicyReader {
 public:
  PolicyReader(Bytes content, Collector& into) : content_(content), into_(into) {}

  void run() {
    at_ = 8;  // behind signature and version
    while (at_ < content_.size() && !into_.full()) {
      const std::size_t begin = at_;
      PolicyEntry entry;
      suspect_ = begin;
      if (read(entry)) {
        use(entry);
        continue;
      }
      into_.complain("", at_ >= content_.size()
                             ? fmt::format("cut off in the entry at byte {}", begin)
                             : fmt::format("damaged: the entry at byte {} breaks off at byte {}", begin, at_));
      at_ = next_entry(suspect_ + 1);
    }
  }

 private:
  /// Where [ and eight characters of a key seem to stand next, or the end.
  std::size_t next_entry(std::size_t from) const {
    constexpr std::size_t characters = 9;
    const std::string_view text = as_text(content_);
    for (std::size_t at = text.find('[', from); at != std::string_view::npos; at = text.find('[', at + 1)) {
      if (content_.size() - at < characters * 2) break;
      const Bytes seen = content_.subspan(at, characters * 2);
      bool fits = true;
      for (std::size_t i = 0; i < seen.size() && fits; ++i)
        fits = i % 2 == 1 ? seen[i] == 0 : seen[i] >= 0x20 && seen[i] < 0x7F;
      if (fits) return at;
    }
    return content_.size();
  }
  bool mark(char c) {
    if (content_.size() - at_ < 2) return cut();
    if (content_[at_] != static_cast<std::uint8_t>(c) || content_[at_ + 1] != 0) return false;
    at_ += 2;
    return true;
  }
  bool number(std::uint32_t& into) {
    if (content_.size() - at_ < 4) return cut();
    into = u32(content_, at_);
    at_ += 4;
    return true;
  }
  bool name(std::string& into) {
    constexpr std::size_t most = 2'048;  // characters; the registry allows 255 a key
    for (std::size_t end = at_; end - at_ < most * 2; end += 2) {
      if (content_.size() - end < 2) return cut();
      if (content_[end] != 0 || content_[end + 1] != 0) continue;
      into = utf16le(content_.subspan(at_, end - at_));
      at_ = end + 2;
      return true;
    }
    return false;
  }
  bool read(PolicyEntry& entry) {
    std::uint32_t size = 0;
    if (!mark('[') || !name(entry.key) || !mark(';') || !name(entry.name) || !mark(';') || !number(entry.type) ||
        !mark(';') || !number(size) || !mark(';')) {
      return false;
    }
    suspect_ = at_;  // should the size be what is damaged
    if (content_.size() - at_ < size) return cut();
    entry.data = content_.subspan(at_, size);
    at_ += size;
    return mark(']');
  }
  bool cut() {
    at_ = content_.size();
    return false;
  }

  void use(const PolicyEntry& entry) {
    constexpr std::uint32_t binary = 3;  // REG_BINARY
    const RegistryKey key = registry_key(entry.key, true);
    // **del.NAME, **DeleteValues and the like take values away.
    if (entry.name.starts_with("**")) return;
    if (key.holds == RegistryKey::Holds::nothing) {
      if (misplaced(entry.name, entry.data)) into_.complain(printable(entry.key, 160), outside);
    } else if (!equals_ignoring_case(entry.name, "Blob")) {
      // A key may be made with a value that has no name.
      if (!entry.name.empty() || !entry.data.empty())
        into_.complain(key.model.where, fmt::format("a value {}, which is no Blob", printable(entry.name, 64)));
    } else if (entry.type != binary) {
      into_.complain(key.model.where, fmt::format("a Blob of type {}, which is not REG_BINARY", entry.type));
    } else {
      read_blob(entry.data, key.model, into_);
    }
  }

  const Bytes content_;
  Collector& into_;
  std::size_t at_ = 0;
  std::size_t suspect_ = 0;
};

}  // namespace

void read_registry_policy(Bytes content, Collector& into) {
  constexpr std::uint32_t known_version = 1;
  if (content.size() < 8) return into.complain("", "truncated: not even its header is there");
  if (const std::uint32_t version = u32(content, 4); version != known_version)
    into.complain("", fmt::format("of version {}, where only 1 is known: read as if it were that", version));
  PolicyReader{content, into}.run();
}

// .reg

namespace {

class ExportReader {
 public:
  ExportReader(std::string_view text, Collector& into) : lines_(text), into_(into) {}

  void run() {
    while (!into_.full()) {
      const std::optional<RegistryLine> found = lines_.next();
      if (!found) break;
      switch (found->is) {
        case RegistryLine::Is::key:
        case RegistryLine::Is::removed_key:
        case RegistryLine::Is::broken_key:
          begin_key(*found);
          break;
        case RegistryLine::Is::value:
          value(*found);
          break;
        case RegistryLine::Is::neither:
          // What follows belongs to no key that is known, until the next one.
          if (!in_damage_) into_.complain(place(), fmt::format("line {} is neither a key nor a value", found->number));
          end_key();
          key_ = {};
          in_damage_ = true;
          break;
      }
    }
    end_key();
  }

 private:
  std::string place() const { return key_.model.where; }

  void begin_key(const RegistryLine& found) {
    end_key();
    key_ = {};
    blob_seen_ = in_damage_ = false;
    if (found.is == RegistryLine::Is::broken_key) {
      into_.complain("", fmt::format("line {}: a key without its ]: {}", found.number, printable(found.line, 160)));
      in_damage_ = true;
    } else if (found.is == RegistryLine::Is::key) {
      key_ = registry_key(found.name, false);
    }
  }

  void end_key() {
    if (key_.holds == RegistryKey::Holds::certificate && !blob_seen_ && !in_damage_)
      into_.complain(place(), "a certificate's key without its Blob");
  }

  void value(const RegistryLine& found) {
    constexpr unsigned binary = 3;
    const bool blob = equals_ignoring_case(found.name, "Blob");
    const std::string_view trouble = !found.has_value       ? "no value"
                                     : found.type != binary ? "not REG_BINARY"
                                     : !found.hexadecimal   ? "not hexadecimal"
                                                            : "";
    if (key_.holds != RegistryKey::Holds::nothing && blob) {
      blob_seen_ = true;
      if (found.line.ends_with("=-")) return;  // takes the value away
      if (trouble.empty()) return read_blob(found.data, key_.model, into_);
      into_.complain(place(), fmt::format("the Blob in line {}: {}", found.number, trouble));
    } else if (key_.holds == RegistryKey::Holds::nothing && found.type == binary && misplaced(found.name, found.data)) {
      into_.complain("", fmt::format("line {}: {}", found.number, outside));
    } else if (key_.holds == RegistryKey::Holds::certificate) {
      into_.complain(place(), fmt::format("the value in line {} is no Blob", found.number));
      blob_seen_ = true;
    }
  }

  RegistryText lines_;
  Collector& into_;
  RegistryKey key_;
  bool blob_seen_ = false;
  bool in_damage_ = false;
};

}  // namespace

void read_registry_export(Bytes content, Collector& into) {
  const std::string text = decode_text(content);
  ExportReader{text, into}.run();
}

}  // namespace mrascheck::stores
