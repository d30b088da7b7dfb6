// SPDX-License-Identifier: Apache-2.0
// The floor that store reading is measured against: what the task costs when nothing is kept that the report does not
// need, nothing is judged and nobody is told what is wrong. Maps the file, decodes base64, walks the DER once, takes
// SHA-1 and SHA-256, folds the subject, puts it into one hash map, and prints the groups. None of the program's own
// code is in it.
//
//   mrascheck-bench-floor FILE|DIRECTORY        PEM, PKCS#7 in DER, .sst, or a directory with a DER file a certificate
//   mrascheck-bench-floor --d2i FILE|DIRECTORY  the same bytes through d2i_X509 and X509_free; prints how many
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "report.hpp"

namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view serialized_store_mark = "\0\0\0\0CERT"sv;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "floor: %s\n", why);
  std::exit(1);
}

struct Slice {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

struct Element {
  std::uint8_t tag = 0;
  std::uint32_t at = 0;  ///< of its content
  std::uint32_t size = 0;
  std::uint32_t begin = 0;
};

/// One bounds-checked pass over elements that stand one behind the other.
class Walk {
 public:
  Walk(Bytes all, std::uint32_t at, std::uint32_t size) : all_(all), at_(at), end_(at + size) {}
  bool more() const { return at_ < end_; }
  std::uint8_t peek() const { return more() ? all_[at_] : std::uint8_t{0}; }
  Element next() {
    Element element;
    element.begin = at_;
    if (end_ - at_ < 2) give_up("truncated DER");
    element.tag = all_[at_++];
    element.size = all_[at_++];
    if (element.size > 0x80) {
      std::uint32_t octets = element.size & 0x7fU;
      if (octets > 4 || end_ - at_ < octets) give_up("absurd length");
      for (element.size = 0; octets > 0; --octets) element.size = element.size << 8U | all_[at_++];
    }
    if (end_ - at_ < element.size) give_up("element longer than what holds it");
    element.at = at_;
    at_ += element.size;
    return element;
  }
  Element next(std::uint8_t tag) {
    const Element element = next();
    if (element.tag != tag) give_up("not the expected tag");
    return element;
  }

 private:
  Bytes all_;
  std::uint32_t at_;
  std::uint32_t end_;
};

struct Fields {
  Slice serial, issuer, not_before, not_after, subject, key, subject_key_id, authority_key_id, constraints, usage;
};

struct Record {
  std::size_t at = 0;  ///< of its DER in the arena
  std::uint32_t size = 0;
  Fields fields;
  std::array<std::uint8_t, 20> sha1{};
  std::array<std::uint8_t, 32> sha256{};
  Slice common_name;
};

Fields walk(Bytes der) {
  const auto slice = [](const Element& element) { return Slice{element.at, element.size}; };
  Fields fields;
  const Element certificate = Walk(der, 0, static_cast<std::uint32_t>(der.size())).next(0x30);
  const Element body = Walk(der, certificate.at, certificate.size).next(0x30);
  Walk in(der, body.at, body.size);
  if (in.peek() == 0xa0) in.next();
  fields.serial = slice(in.next(0x02));
  in.next(0x30);
  fields.issuer = slice(in.next(0x30));
  const Element validity = in.next(0x30);
  Walk times(der, validity.at, validity.size);
  fields.not_before = slice(times.next());
  fields.not_after = slice(times.next());
  fields.subject = slice(in.next(0x30));
  fields.key = slice(in.next(0x30));
  while (in.more()) {
    const Element element = in.next();
    if (element.tag != 0xa3) continue;
    const Element list = Walk(der, element.at, element.size).next(0x30);
    for (Walk extensions(der, list.at, list.size); extensions.more();) {
      const Element extension = extensions.next(0x30);
      Walk parts(der, extension.at, extension.size);
      const Element oid = parts.next(0x06);
      if (parts.peek() == 0x01) parts.next();
      const Slice value = slice(parts.next(0x04));
      if (oid.size != 3 || der[oid.at] != 0x55 || der[oid.at + 1] != 0x1d) continue;
      switch (der[oid.at + 2]) {
        case 14:
          fields.subject_key_id = value;
          break;
        case 15:
          fields.usage = value;
          break;
        case 19:
          fields.constraints = value;
          break;
        case 35:
          fields.authority_key_id = value;
          break;
        default:
          break;
      }
    }
  }
  return fields;
}

/// Types as they stand, values in lower case with single blanks: as much of RFC 5280, 7.1 as ASCII needs.
void fold(Bytes der, Slice name, std::string& into, Slice& common_name) {
  into.clear();
  for (Walk names(der, name.at, name.size); names.more();) {
    const Element set = names.next(0x31);
    for (Walk pairs(der, set.at, set.size); pairs.more();) {
      const Element pair = pairs.next(0x30);
      Walk parts(der, pair.at, pair.size);
      const Element type = parts.next(0x06);
      const Element value = parts.next();
      into.append(reinterpret_cast<const char*>(der.data()) + type.at, type.size);
      into.push_back('=');
      bool blank = true;
      for (std::uint32_t i = value.at; i < value.at + value.size; ++i) {
        const std::uint8_t c = der[i];
        if (c == ' ' && blank) continue;
        blank = c == ' ';
        into.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
      }
      if (blank && into.back() == ' ') into.pop_back();
      into.push_back(',');
      if (type.size == 3 && der[type.at + 2] == 3) common_name = {value.at, value.size};
    }
  }
}

class Digests {
 public:
  template <std::size_t Size>
  void sha1(Bytes bytes, std::array<std::uint8_t, Size>& into) const {
    take(sha1_, bytes, into.data());
  }
  template <std::size_t Size>
  void sha256(Bytes bytes, std::array<std::uint8_t, Size>& into) const {
    take(sha256_, bytes, into.data());
  }

 private:
  void take(const EVP_MD* kind, Bytes bytes, unsigned char* into) const {
    if (EVP_DigestInit_ex2(context_, kind, nullptr) != 1 ||
        EVP_DigestUpdate(context_, bytes.data(), bytes.size()) != 1 || EVP_DigestFinal_ex(context_, into, nullptr) != 1)
      give_up("no digest");
  }
  EVP_MD* sha1_ = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  EVP_MD* sha256_ = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context_ = EVP_MD_CTX_new();
};

class Floor {
 public:
  void reserve(std::size_t bytes) {
    if (arena_.empty()) arena_.reserve(bytes);
  }
  std::vector<std::uint8_t>& arena() { return arena_; }
  void certificate(std::size_t at, std::size_t size) {
    const Bytes der = Bytes{arena_}.subspan(at, size);
    Record& record = records_.emplace_back();
    record.at = at;
    record.size = static_cast<std::uint32_t>(size);
    record.fields = walk(der);
    digests_.sha1(der, record.sha1);
    digests_.sha256(der, record.sha256);
    fold(der, record.fields.subject, folded_, record.common_name);
    by_subject_[folded_].push_back(static_cast<std::uint32_t>(records_.size() - 1));
  }
  void report() {
    std::size_t distinct = 0;
    std::vector<std::vector<mrascheck::bench::Member>> groups;
    for (auto& [subject, members] : by_subject_) {
      if (members.size() == 1) {
        ++distinct;
        continue;
      }
      std::vector<mrascheck::bench::Member> group;
      for (const std::uint32_t member : members) {
        const Record& record = records_[member];
        group.push_back({record.sha1,
                         {reinterpret_cast<const char*>(arena_.data()) + record.at + record.common_name.at,
                          record.common_name.size}});
      }
      std::sort(group.begin(), group.end(), [](const auto& a, const auto& b) { return a.thumbprint < b.thumbprint; });
      group.erase(std::unique(group.begin(), group.end(),
                              [](const auto& a, const auto& b) { return a.thumbprint == b.thumbprint; }),
                  group.end());
      distinct += group.size();
      if (group.size() > 1) groups.push_back(std::move(group));
    }
    mrascheck::bench::print_report(records_.size(), distinct, groups);
  }

 private:
  std::vector<std::uint8_t> arena_;
  std::deque<Record> records_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_subject_;
  std::string folded_;
  Digests digests_;
};

/// Instead of the floor's work: what a program does that leaves everything to OpenSSL.
class Decoder {
 public:
  void reserve(std::size_t) {}
  std::vector<std::uint8_t>& arena() {
    arena_.clear();
    return arena_;
  }
  void certificate(std::size_t at, std::size_t size) {
    const unsigned char* cursor = arena_.data() + at;
    X509* certificate = d2i_X509(nullptr, &cursor, static_cast<long>(size));
    if (certificate == nullptr) give_up("d2i_X509 refuses it");
    X509_free(certificate);
    ++count_;
  }
  void report() const { std::printf("decoded %zu\n", count_); }

 private:
  std::vector<std::uint8_t> arena_;
  std::size_t count_ = 0;
};

struct Tables {
  std::array<std::array<std::uint32_t, 256>, 4> values{};
  static constexpr std::uint32_t bad = 0xff000000;
  constexpr Tables() {
    for (auto& table : values) table.fill(bad);
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::uint32_t i = 0; i < 64; ++i) {
      for (std::size_t k = 0; k < 4; ++k) values[k][static_cast<unsigned char>(digits[i])] = i << (18 - 6 * k);
    }
  }
};
constexpr Tables tables;

/// Whole groups of four, line ends between them; the last group may be padded.
void decode(std::string_view text, std::vector<std::uint8_t>& into) {
  const std::size_t begin = into.size();
  into.resize(begin + text.size() / 4 * 3 + 3);
  std::uint8_t* out = into.data() + begin;
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == '\n' || text[i] == '\r') {
      ++i;
      continue;
    }
    if (text.size() - i < 4) give_up("base64 breaks off");
    std::uint32_t group = tables.values[0][octet(i)] | tables.values[1][octet(i + 1)];
    std::size_t pads = 0;
    for (std::size_t k = 2; k < 4; ++k) {
      if (text[i + k] == '=') {
        ++pads;
      } else {
        group |= tables.values[k][octet(i + k)];
      }
    }
    if ((group & Tables::bad) != 0) give_up("not base64");
    *out++ = static_cast<std::uint8_t>(group >> 16U);
    if (pads < 2) *out++ = static_cast<std::uint8_t>(group >> 8U);
    if (pads < 1) *out++ = static_cast<std::uint8_t>(group);
    i += 4;
  }
  into.resize(static_cast<std::size_t>(out - into.data()));
}

template <class Work>
void read_pem(std::string_view text, Work& work) {
  constexpr std::string_view begin_mark = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end_mark = "-----END CERTIFICATE-----";
  work.reserve(text.size() / 4 * 3);
  for (std::size_t at = text.find(begin_mark); at != std::string_view::npos; at = text.find(begin_mark, at)) {
    at += begin_mark.size();
    const std::size_t end = text.find(end_mark, at);
    if (end == std::string_view::npos) give_up("no END line");
    std::vector<std::uint8_t>& arena = work.arena();
    const std::size_t begin = arena.size();
    decode(text.substr(at, end - at), arena);
    work.certificate(begin, arena.size() - begin);
    at = end + end_mark.size();
  }
}

template <class Work>
void read_pkcs7(Bytes der, Work& work) {
  const Element info = Walk(der, 0, static_cast<std::uint32_t>(der.size())).next(0x30);
  Walk parts(der, info.at, info.size);
  parts.next(0x06);
  const Element content = parts.next(0xa0);
  const Element signed_data = Walk(der, content.at, content.size).next(0x30);
  Walk inside(der, signed_data.at, signed_data.size);
  inside.next(0x02);
  inside.next(0x31);
  inside.next(0x30);
  const Element certificates = inside.next(0xa0);
  work.reserve(certificates.size);
  for (Walk each(der, certificates.at, certificates.size); each.more();) {
    const Element one = each.next(0x30);
    std::vector<std::uint8_t>& arena = work.arena();
    const std::size_t begin = arena.size();
    const Bytes whole = der.subspan(one.begin, one.at + one.size - one.begin);
    arena.insert(arena.end(), whole.begin(), whole.end());
    work.certificate(begin, whole.size());
  }
}

/// Elements of a header (id, encoding, length: 32 bits little-endian each) and a value, up to one that is all zeros.
template <class Work>
void read_serialized_store(Bytes content, Work& work) {
  constexpr std::size_t header_size = 12;
  constexpr std::uint32_t certificate = 32;
  std::size_t at = serialized_store_mark.size();
  const auto number = [&](std::size_t offset) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(content[at + offset + i]) << 8U * i;
    return value;
  };
  work.reserve(content.size());
  while (true) {
    if (content.size() - at < header_size) give_up("no end of the store");
    const std::uint32_t id = number(0);
    const std::size_t size = number(8);
    at += header_size;
    if (id == 0) return;
    if (content.size() - at < size) give_up("element longer than the store");
    if (id == certificate) {
      std::vector<std::uint8_t>& arena = work.arena();
      const std::size_t begin = arena.size();
      const Bytes der = content.subspan(at, size);
      arena.insert(arena.end(), der.begin(), der.end());
      work.certificate(begin, size);
    }
    at += size;
  }
}

template <class Work>
void read_mapped(const std::string& path, Work& work) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) give_up("cannot open it");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (mapped == MAP_FAILED) give_up("cannot map it");
  const Bytes content{static_cast<const std::uint8_t*>(mapped), size};
  const std::string_view text{static_cast<const char*>(mapped), size};
  if (content[0] == 0x30) {
    read_pkcs7(content, work);
  } else if (text.starts_with(serialized_store_mark)) {
    read_serialized_store(content, work);
  } else {
    read_pem(text, work);
  }
  ::munmap(mapped, size);
  ::close(file);
}

/// The DER files, or else the PEM files, of one directory.
template <class Work>
void read_directory(const std::string& path, Work& work) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) give_up("cannot open the directory");
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string whole = path + "/" + name;
    if (name.ends_with(".pem")) {
      read_mapped(whole, work);
      continue;
    }
    const int file = ::open(whole.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || ::fstat(file, &status) != 0) give_up("cannot open it");
    const auto size = static_cast<std::size_t>(status.st_size);
    std::vector<std::uint8_t>& arena = work.arena();
    const std::size_t begin = arena.size();
    arena.resize(begin + size);
    if (::read(file, arena.data() + begin, size) != static_cast<ssize_t>(size)) give_up("cannot read it");
    ::close(file);
    work.certificate(begin, size);
  }
}

template <class Work>
void run(const std::string& path) {
  Work work;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) give_up("no such file");
  if (S_ISDIR(status.st_mode)) {
    read_directory(path, work);
  } else {
    read_mapped(path, work);
  }
  work.report();
  std::fflush(stdout);
  ::_exit(0);  // nothing is given back that the end gives back anyway
}

}  // namespace

int main(int argc, char** argv) {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  if (argc == 2) run<Floor>(argv[1]);
  if (argc == 3 && std::string_view{argv[1]} == "--d2i") run<Decoder>(argv[2]);
  std::fprintf(stderr, "usage: mrascheck-bench-floor [--d2i] FILE|DIRECTORY\n");
  return 2;
}
