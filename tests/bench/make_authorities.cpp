// SPDX-License-Identifier: Apache-2.0
// Writes a world of CA certificates with known same-name groups, for the benchmarks of bench.cpp and for profiling by
// hand: mrascheck-bench-make DIRECTORY COUNT SHAPE [SEED]. The same arguments give the same bytes.
//
// Every certificate is template.pem, which openssl made, with serial number, names, years, key, key identifiers and
// signature put in their places: distinct, well-formed, of the usual size, and no signature verifies.
//
// Files: all.pem, all.p7b (PKCS#7 in DER), all.sst (a Microsoft serialized store), der/NNNNNN.cer, and truth.txt, which
// is what a program that reports the groups must print: see print_report() in report.hpp. Shapes:
//   ordinary     six of ten names have one certificate, most others 2 to 8, few 40; names are spelt in several ways
//   one-subject  one name for all
//   copies       one certificate COUNT times
//   distinct     every name once
//   fleet        as ordinary, and exports/host-NNNN.pem: a thousand exports of the same certificates; no other file
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using Random = std::mt19937_64;

constexpr std::size_t exports = 1'000;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::filesystem::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string base64(std::string_view bytes) {
  std::string text(bytes.size() / 3 * 4 + 8, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string pem(std::string_view der) {
  std::string text = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < der.size(); at += 48) text += base64(der.substr(at, 48)) + "\n";
  return text + "-----END CERTIFICATE-----\n";
}

std::string decoded_template() {
  const std::string text = read(MRASCHECK_BENCH_TEMPLATE);
  constexpr auto begin_line = "-----BEGIN CERTIFICATE-----\n"sv;
  const std::size_t begin = text.find(begin_line) + begin_line.size();
  std::string body = text.substr(begin, text.find("-----END") - begin);
  std::erase(body, '\n');
  std::string der(body.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(der.data()),
                                   reinterpret_cast<const unsigned char*>(body.data()), static_cast<int>(body.size()));
  der.resize(static_cast<std::size_t>(size) - static_cast<std::size_t>(std::count(body.begin(), body.end(), '=')));
  return der;
}

/// Where in the template is what. Each mark stands there once.
class Template {
 public:
  Template() : der_(decoded_template()) {
    serial_ = behind("\x02\x10\x6a"sv);
    issuer_ = behind("\x0c\x11"sv);
    subject_ = behind("\x0c\x11"sv, issuer_);
    if (text_at(issuer_) != "Contoso CA 000002" || text_at(subject_) != "Contoso CA 000001")
      throw std::runtime_error("template.pem is another one");
    not_before_ = behind("\x17\x0d"sv);
    not_after_ = behind("\x17\x0d"sv, not_before_);
    modulus_ = behind("\x02\x82\x01\x01\x00"sv);
    subject_key_ = behind("\x55\x1d\x0e\x04\x16\x04\x14"sv);
    authority_key_ = behind("\x55\x1d\x23\x04\x18\x30\x16\x80\x14"sv);
  }

  struct Values {
    unsigned subject = 0;
    unsigned issuer = 0;
    unsigned spelling = 0;     ///< of the subject
    std::uint64_t key = 0;     ///< equal seeds, equal keys
    std::uint64_t parent = 0;  ///< as `key`, of the issuer
    std::uint64_t rest = 0;
  };
  std::string filled(const Values& values) const {
    std::string der = der_;
    Random rest(values.rest);
    fill(der, serial_, 15, rest);
    put_name(der, issuer_, values.issuer, values.issuer == values.subject ? values.spelling : 0);
    put_name(der, subject_, values.subject, values.spelling);
    put_number(der, not_before_, 10 + static_cast<unsigned>(rest() % 16), 2);
    put_number(der, not_after_, 26 + static_cast<unsigned>(rest() % 20), 2);
    Random key(values.key);
    fill(der, modulus_, 256, key);
    der[modulus_] = static_cast<char>(der[modulus_] | '\x80');
    fill(der, subject_key_, 20, key);
    Random parent(values.parent);
    fill(der, authority_key_, 20, parent);
    fill(der, der.size() - 256, 256, rest);
    return der;
  }

 private:
  std::size_t behind(std::string_view mark, std::size_t from = 0) const {
    const std::size_t at = der_.find(mark, from);
    if (at == std::string::npos) throw std::runtime_error("template.pem is another one");
    return at + mark.size();
  }
  std::string_view text_at(std::size_t at) const { return std::string_view{der_}.substr(at, 17); }

  static void fill(std::string& der, std::size_t at, std::size_t size, Random& random) {
    for (std::size_t i = 0; i < size; i += 8) {
      const std::uint64_t octets = random();
      std::memcpy(der.data() + at + i, &octets, std::min<std::size_t>(8, size - i));
    }
  }
  static void put_number(std::string& der, std::size_t at, unsigned number, std::size_t digits) {
    for (std::size_t i = digits; i-- > 0; number /= 10) der[at + i] = static_cast<char>('0' + number % 10);
  }
  /// One name by RFC 5280, 7.1, in each of its spellings: other letter case, another string type.
  static void put_name(std::string& der, std::size_t at, unsigned number, unsigned spelling) {
    static constexpr std::string_view words[] = {"Contoso CA "sv, "Contoso CA "sv, "CONTOSO CA "sv, "contoso ca "sv};
    const std::string_view word = words[spelling % 4];
    std::copy(word.begin(), word.end(), der.begin() + static_cast<std::ptrdiff_t>(at));
    put_number(der, at + word.size(), number, 6);
    der[at - 2] = spelling % 4 == 1 ? '\x13' : '\x0c';  // PrintableString, UTF8String
  }

  std::string der_;
  std::size_t serial_ = 0;
  std::size_t issuer_ = 0;
  std::size_t subject_ = 0;
  std::size_t not_before_ = 0;
  std::size_t not_after_ = 0;
  std::size_t modulus_ = 0;
  std::size_t subject_key_ = 0;
  std::size_t authority_key_ = 0;
};

struct World {
  std::vector<std::string> certificates;
  std::vector<unsigned> subjects;
};

unsigned group_size(Random& random) {
  const std::uint64_t draw = random() % 2'000;
  if (draw == 0) return 40;
  return draw < 1'200 ? 1 : 2 + static_cast<unsigned>(random() % 7);
}

World make_world(std::size_t count, std::string_view shape, std::uint64_t seed) {
  const Template form;
  Random random(seed);
  std::vector<Template::Values> plan;
  for (unsigned subject = 1; plan.size() < count; ++subject) {
    const std::size_t size = shape == "one-subject"                     ? count
                             : shape == "copies" || shape == "distinct" ? 1
                                                                        : group_size(random);
    const std::uint64_t first_key = random();
    for (std::size_t k = 0; k < size && plan.size() < count; ++k) {
      const bool self_issued = random() % 3 == 0;
      const auto parent = static_cast<unsigned>(random() % 500);
      Template::Values values;
      values.subject = subject;
      values.issuer = self_issued ? subject : 900'000 + parent;
      values.spelling = static_cast<unsigned>(k);
      values.key = k == 0 || random() % 2 == 0 ? first_key : random();
      values.parent = self_issued ? values.key : parent;
      values.rest = random();
      plan.push_back(values);
      if (shape == "copies") plan.resize(count, values);
    }
  }
  for (std::size_t i = plan.size(); i > 1; --i) std::swap(plan[i - 1], plan[random() % i]);
  World world;
  for (const Template::Values& values : plan) {
    world.certificates.push_back(form.filled(values));
    world.subjects.push_back(values.subject);
  }
  return world;
}

std::string thumbprint(std::string_view der) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest);
  std::string text;
  for (const unsigned char octet : digest) {
    text.push_back("0123456789ABCDEF"[octet >> 4U]);
    text.push_back("0123456789ABCDEF"[octet & 15U]);
  }
  return text;
}

std::string common_name(std::string_view der) {
  std::size_t at = std::string_view::npos;
  for (const std::string_view word : {"Contoso CA "sv, "CONTOSO CA "sv, "contoso ca "sv}) {
    const std::size_t found = der.rfind(word);
    if (found != std::string_view::npos && (at == std::string_view::npos || found > at)) at = found;
  }
  return std::string{der.substr(at, 17)};
}

std::string truth(const World& world, std::size_t times) {
  std::map<unsigned, std::map<std::string, std::string>> names;  // thumbprint to spelling
  for (std::size_t i = 0; i < world.certificates.size(); ++i)
    names[world.subjects[i]].emplace(thumbprint(world.certificates[i]), common_name(world.certificates[i]));
  std::size_t distinct = 0;
  std::map<std::string, std::string> lines;
  for (const auto& [subject, members] : names) {
    distinct += members.size();
    if (members.size() < 2) continue;
    std::string line = members.begin()->second + "\t" + std::to_string(members.size()) + "\t";
    for (const auto& [print, spelling] : members) line += print + " ";
    lines.emplace(members.begin()->first, std::move(line));
  }
  std::string text = "entries " + std::to_string(world.certificates.size() * times) + "\ndistinct " +
                     std::to_string(distinct) + "\ngroups " + std::to_string(lines.size()) + "\n";
  for (const auto& [first, line] : lines) text += line + "\n";
  return text;
}

std::string element(unsigned char tag, std::string_view content) {
  std::string der(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    der.push_back(static_cast<char>(content.size()));
  } else {
    std::string length;
    for (std::size_t rest = content.size(); rest != 0; rest >>= 8U)
      length.insert(0, 1, static_cast<char>(rest & 0xffU));
    der.push_back(static_cast<char>(0x80U | length.size()));
    der += length;
  }
  return der.append(content);
}

/// RFC 5652, 5.1: degenerate signed data, as exports are.
std::string pkcs7(const std::string& certificates) {
  const std::string data = element(0x30, element(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"sv));
  const std::string signed_data = element(
      0x30, element(0x02, "\x01"sv) + element(0x31, {}) + data + element(0xa0, certificates) + element(0x31, {}));
  return element(0x30, element(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"sv) + element(0xa0, signed_data));
}

/// Little-endian, as everything in a serialized store.
std::string u32(std::size_t number) {
  std::string text;
  for (unsigned shift = 0; shift < 32; shift += 8) text.push_back(static_cast<char>(number >> shift & 0xffU));
  return text;
}

/// [MS-GPEF], 2.2.1.1.1: each certificate behind its properties, of which exports of Windows have at least the SHA-1.
std::string serialized_store(const std::vector<std::string>& certificates) {
  constexpr std::size_t sha1_hash = 3;
  constexpr std::size_t certificate = 32;
  const auto append = [](std::string& store, std::size_t id, std::string_view value) {
    store += u32(id) + u32(1) + u32(value.size());
    store += value;
  };
  std::string store = "\0\0\0\0CERT"s;
  for (const std::string& der : certificates) {
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest);
    append(store, sha1_hash, {reinterpret_cast<const char*>(digest), sizeof digest});
    append(store, certificate, der);
  }
  return store + u32(0) + u32(0) + u32(0);
}

std::string padded(std::size_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

void write_world(const std::filesystem::path& directory, const World& world, bool fleet) {
  std::filesystem::create_directories(directory);
  std::string text;
  for (const std::string& der : world.certificates) text += pem(der);
  write(directory / "truth.txt", truth(world, fleet ? exports : 1));
  if (fleet) {
    std::filesystem::create_directories(directory / "exports");
    for (std::size_t host = 1; host <= exports; ++host) {
      const std::string name = "host-" + padded(host, 4);
      write(directory / "exports" / (name + ".pem"), "exported from " + name + "\n" + text);
    }
    return;
  }
  write(directory / "all.pem", text);
  std::string all;
  for (const std::string& der : world.certificates) all += der;
  write(directory / "all.p7b", pkcs7(all));
  write(directory / "all.sst", serialized_store(world.certificates));
  std::filesystem::create_directories(directory / "der");
  for (std::size_t i = 0; i < world.certificates.size(); ++i)
    write(directory / "der" / (padded(i, 6) + ".cer"), world.certificates[i]);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string_view count_text = argc > 2 ? argv[2] : "";
    const std::string_view shape = argc > 3 ? argv[3] : "";
    std::size_t count = 0;
    std::from_chars(count_text.data(), count_text.data() + count_text.size(), count);
    if (count == 0 || count > 900'000 ||
        (shape != "ordinary" && shape != "one-subject" && shape != "copies" && shape != "distinct" &&
         shape != "fleet")) {
      std::cerr << "usage: mrascheck-bench-make DIRECTORY COUNT ordinary|one-subject|copies|distinct|fleet [SEED]\n";
      return 2;
    }
    const std::uint64_t seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1;
    write_world(argv[1], make_world(count, shape, seed), shape == "fleet");
  } catch (const std::exception& problem) {
    std::cerr << "mrascheck-bench-make: " << problem.what() << '\n';
    return 1;
  }
  return 0;
}
