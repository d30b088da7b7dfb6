// SPDX-License-Identifier: Apache-2.0
#include "support/slapd.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace mrascheck::test {

template <auto Free>
struct Freed {
  void operator()(auto* object) const noexcept { Free(object); }
};
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;

static EVP_PKEY* as_key(void* key) {
  return static_cast<EVP_PKEY*>(key);
}

static std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

static std::string pem_of(X509* certificate) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

static void set_name(X509_NAME* name, const std::string& common_name) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
}

static void add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension{
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  if (!extension) throw std::runtime_error("extension " + value);
  X509_add_ext(certificate, extension.get(), -1);
}

static X509Ptr unsigned_certificate(const std::string& issuer, const std::string& subject, long serial, EVP_PKEY* key) {
  X509Ptr certificate{X509_new()};
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  set_name(X509_get_issuer_name(certificate.get()), issuer);
  set_name(X509_get_subject_name(certificate.get()), subject);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

static X509Ptr ca(const std::string& issuer, const std::string& subject, long serial, EVP_PKEY* key) {
  X509Ptr certificate = unsigned_certificate(issuer, subject, serial, key);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86'400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 315'360'000);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

TestCa::TestCa(std::string name) : name_(std::move(name)), key_(EVP_EC_gen("P-256")) {}

TestCa::~TestCa() {
  EVP_PKEY_free(as_key(key_));
}

ByteString TestCa::ca_certificate(const std::string& subject, long serial) const {
  const X509Ptr certificate = ca(name_, subject, serial, as_key(key_));
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  ByteString bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

std::string TestCa::own_certificate_pem() const {
  return pem_of(ca(name_, name_, 1, as_key(key_)).get());
}

std::string TestCa::server_certificate_pem(const std::vector<std::string>& dns_names, int days) const {
  const X509Ptr certificate =
      unsigned_certificate(name_, dns_names.empty() ? "server" : dns_names.front(), 2, as_key(key_));
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -100L * 86'400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * 86'400L);
  std::string names = "IP:127.0.0.1";
  for (const std::string& name : dns_names) names += ",DNS:" + name;
  add_extension(certificate.get(), NID_subject_alt_name, names);
  X509_sign(certificate.get(), as_key(key_), EVP_sha256());
  return pem_of(certificate.get());
}

std::string TestCa::key_pem() const {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PrivateKey(bio.get(), as_key(key_), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

static std::string base64(const ByteString& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

ByteString TestCa::revocation_list(long revoked) const {
  const std::unique_ptr<X509_CRL, Freed<X509_CRL_free>> list{X509_CRL_new()};
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  const std::unique_ptr<X509_NAME, Freed<X509_NAME_free>> issuer{X509_NAME_new()};
  set_name(issuer.get(), name_);
  X509_CRL_set_issuer_name(list.get(), issuer.get());
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> now{X509_gmtime_adj(nullptr, 0)};
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> then{X509_gmtime_adj(nullptr, 604'800)};
  X509_CRL_set1_lastUpdate(list.get(), now.get());
  X509_CRL_set1_nextUpdate(list.get(), then.get());
  X509_REVOKED* entry = X509_REVOKED_new();
  const std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER_free>> serial{ASN1_INTEGER_new()};
  ASN1_INTEGER_set(serial.get(), revoked);
  X509_REVOKED_set_serialNumber(entry, serial.get());
  X509_REVOKED_set_revocationDate(entry, now.get());
  X509_CRL_add0_revoked(list.get(), entry);
  X509_CRL_sign(list.get(), as_key(key_), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(list.get(), &der);
  ByteString bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

static ByteString element(unsigned char tag, const ByteString& content) {
  unsigned char* end = nullptr;
  const auto length = static_cast<int>(content.size());
  ByteString whole(static_cast<std::size_t>(ASN1_object_size(1, length, tag & 0x1f)));
  end = whole.data();
  ASN1_put_object(&end, 1, length, tag & 0x1f, tag & 0xc0);
  std::copy(content.begin(), content.end(), end);
  return whole;
}

ByteString certificate_pair(const ByteString& forward, const ByteString& reverse) {
  ByteString content = forward.empty() ? ByteString{} : element(0xa0, forward);
  if (!reverse.empty()) {
    const ByteString second = element(0xa1, reverse);
    content.insert(content.end(), second.begin(), second.end());
  }
  return element(0x30, content);
}

std::string binary_line(const std::string& attribute, const ByteString& value) {
  return fmt::format("{};binary:: {}\n", attribute, base64(value));
}

static std::string common_name(const std::string& rdns) {
  const auto equals = rdns.find('=');
  return rdns.substr(equals + 1, rdns.find(',') - equals - 1);
}

std::string ca_entry(const std::string& rdns, const std::vector<ByteString>& certificates) {
  std::string record = fmt::format("dn: {},{}\nobjectClass: container\nobjectClass: pkiCA\ncn: {}\n", rdns,
                                   Slapd::services, common_name(rdns));
  for (const ByteString& certificate : certificates) record += binary_line("cACertificate", certificate);
  return record + '\n';
}

std::string crl_entry(const std::string& rdns, const ByteString& list) {
  return fmt::format("dn: {},{}\nobjectClass: cRLDistributionPoint\ncn: {}\n{}\n", rdns, Slapd::services,
                     common_name(rdns), binary_line("certificateRevocationList", list));
}

std::string referral_entry(const std::string& rdns, const std::string& uri) {
  return fmt::format("dn: {},{}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: {}\nref: {}\n\n", rdns,
                     Slapd::services, common_name(rdns), uri);
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

static sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, generic, length) == 0 && getsockname(fd, generic, &length) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

/// Runs `arguments`; its standard error goes to `error_fd`, where one is given.
static pid_t spawn_quietly(const std::vector<std::string>& arguments, int error_fd) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (error_fd >= 0) posix_spawn_file_actions_adddup2(&actions, error_fd, STDERR_FILENO);
  pid_t pid = -1;
  const int code = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw std::runtime_error("cannot start " + arguments.front());
  return pid;
}

static std::string tree(const SlapdSettings& settings) {
  std::string ldif = fmt::format(
      "dn: {0}\nobjectClass: organization\nobjectClass: dcObject\no: Contoso\ndc: contoso\n\n"
      "dn: {1}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: {2}\n\n"
      "dn: {3}\nobjectClass: configuration\ncn: Configuration\n\n"
      "dn: CN=Services,{3}\nobjectClass: container\ncn: Services\n\n"
      "dn: {4}\nobjectClass: container\ncn: Public Key Services\n\n",
      Slapd::suffix, Slapd::reader, Slapd::password, Slapd::configuration, Slapd::services);
  for (const std::string& container : settings.containers) ldif += ca_entry("CN=" + container, {});
  return ldif + settings.entries;
}

void Slapd::write_configuration(const SlapdSettings& settings) {
  const TestCa ca{"Directory CA"};
  const TestCa other{"Other CA"};
  write_file(directory_ / "ca.pem", ca.own_certificate_pem());
  write_file(directory_ / "other-ca.pem", other.own_certificate_pem());
  write_file(directory_ / "server.pem", ca.server_certificate_pem(settings.dns_names, settings.certificate_days));
  write_file(directory_ / "server.key", ca.key_pem());
  write_file(directory_ / "tree.ldif", tree(settings));
  write_file(directory_ / "root.ldif", fmt::format("dn:\nconfigurationNamingContext: {}\n", configuration));
  std::filesystem::create_directory(directory_ / "db");
  std::string text = fmt::format(
      "include /etc/ldap/schema/core.schema\n"
      "include {0}/fixtures/directory/ad-pki.schema\n"
      "modulepath /usr/lib/ldap\nmoduleload back_mdb\nthreads 2\n"
      "TLSCACertificateFile {1}/ca.pem\nTLSCertificateFile {1}/server.pem\n"
      "TLSCertificateKeyFile {1}/server.key\n",
      MRASCHECK_SOURCE_DIR, directory_.string());
  if (settings.names_configuration_context) text += fmt::format("rootDSE {}/root.ldif\n", directory_.string());
  text += settings.global;
  text += fmt::format("database mdb\nsuffix {}\ndirectory {}/db\ndbnosync\nmaxsize 268435456\n{}\n", suffix,
                      directory_.string(), settings.database);
  write_file(directory_ / "slapd.conf", text);
}

Slapd::Slapd(const SlapdSettings& settings) {
  std::string pattern = std::filesystem::temp_directory_path() / "slapd-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = pattern;
  write_configuration(settings);
  const pid_t load =
      spawn_quietly({"/usr/sbin/slapadd", "-q", "-f", directory_ / "slapd.conf", "-l", directory_ / "tree.ldif"}, -1);
  int status = 0;
  waitpid(load, &status, 0);
  if (status != 0) throw std::runtime_error("slapadd refused " + (directory_ / "tree.ldif").string());
  // Somebody else may take a free port before slapd does: another one, then.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (start()) return;
  }
  throw std::runtime_error("slapd does not start: " + directory_.string());
}

static bool accepts(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

bool Slapd::start() {
  ldap_port_ = free_port();
  ldaps_port_ = free_port();
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  // "-d" keeps it in the foreground, and lets it say when it is ready. A test program that is killed takes it along.
  pid_ = spawn_quietly({"/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/sbin/slapd", "-d", "none", "-f",
                        directory_ / "slapd.conf", "-h", fmt::format("{}/ {}/ {}/", ldap(), ldaps(), ldapi())},
                       pipe[1]);
  close(pipe[1]);
  std::string log;
  std::array<char, 1024> buffer{};
  while (log.find("slapd starting") == std::string::npos) {
    const ssize_t size = read(pipe[0], buffer.data(), buffer.size());
    if (size <= 0) {
      close(pipe[0]);
      stop();
      return false;
    }
    log.append(buffer.data(), static_cast<std::size_t>(size));
  }
  while (!accepts(ldap_port_) || !accepts(ldaps_port_)) poll(nullptr, 0, 1);  // it says so a moment before it listens
  // What it says later must be taken away, or it would stand still one day.
  log_reader_ = std::thread([fd = pipe[0]] {
    std::array<char, 1024> later{};
    while (read(fd, later.data(), later.size()) > 0) continue;
    close(fd);
  });
  return true;
}

static std::string escape(const std::string& path) {
  std::string escaped;
  for (const char c : path) c == '/' ? escaped += "%2F" : escaped += c;
  return escaped;
}

std::string Slapd::ldap() const {
  return fmt::format("ldap://127.0.0.1:{}", ldap_port_);
}
std::string Slapd::ldaps() const {
  return fmt::format("ldaps://127.0.0.1:{}", ldaps_port_);
}
std::string Slapd::ldapi() const {
  return "ldapi://" + escape(directory_ / "ldapi");
}

void Slapd::freeze() const {
  kill(pid_, SIGSTOP);
  // Its threads stop one after the other, and one that still runs would answer.
  waitpid(pid_, nullptr, WUNTRACED);
}

void Slapd::stop() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  if (log_reader_.joinable()) log_reader_.join();
}

Slapd::~Slapd() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace mrascheck::test
