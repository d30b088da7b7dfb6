// SPDX-License-Identifier: Apache-2.0
#include "core/explain.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

#include "core/text.hpp"

namespace mrascheck {

namespace {

template <class Code>
struct Row {
  Code code;
  Explanation text;
};

template <class Code, std::size_t N>
const Explanation* find(const std::array<Row<Code>, N>& table, Code code) {
  for (const auto& row : table) {
    if (row.code == code) return &row.text;
  }
  return nullptr;
}

constexpr std::string_view edge = "Edge administrator";
constexpr std::string_view front_end = "Front End administrator";
constexpr std::string_view network = "network administrator";
constexpr std::string_view pki = "PKI administrator";
constexpr std::string_view topology = "Lync/Skype for Business administrator";
constexpr std::string_view nobody = "nobody";

constexpr std::string_view winsock_source = "Microsoft Learn, Windows Sockets Error Codes";

constexpr auto winsock = std::to_array<Row<int>>({
    {10013,
     {"10013", "WSAEACCES",
      "The connection was forbidden on the host that tried it, probably by its own firewall or policy.", front_end,
      "Check the local firewall and security software of the host that connects.", winsock_source}},
    {10048,
     {"10048", "WSAEADDRINUSE", "The local address and port are already in use.", edge,
      "Find the process that holds the port (netstat -ano) and compare it with the address the Edge is bound to.",
      winsock_source}},
    {10049,
     {"10049", "WSAEADDRNOTAVAIL", "The address does not belong to this host, or cannot be connected to.", edge,
      "Compare the internal IP address of the Edge in the topology with the address of its internal interface.",
      winsock_source}},
    {10050,
     {"10050", "WSAENETDOWN", "The network of the host that connects is down.", network,
      "Check the network interface of the host that connects.", winsock_source}},
    {10051,
     {"10051", "WSAENETUNREACH", "There is no route to the peer's network.", network,
      "Check the routes on both sides: the internal interface of an Edge has no default gateway and needs a static "
      "route to the Front End's network.",
      winsock_source}},
    {10052,
     {"10052", "WSAENETRESET", "The connection was dropped because its keep-alive failed.", network,
      "Look for a device on the way that forgets idle connections.", winsock_source}},
    {10053,
     {"10053", "WSAECONNABORTED", "The connection was aborted by the software of the host that connects.", network,
      "Check the network path and the security software of the host that connects.", winsock_source}},
    {10054,
     {"10054", "WSAECONNRESET",
      "The peer or a device on the way reset the connection; during the TLS handshake the peer has probably rejected "
      "our certificate.",
      edge,
      "Check that the peer's computer stores hold our issuing and root CA, that both sides share a TLS version, and "
      "that "
      "no inspection device stands between them.",
      winsock_source}},
    {10055,
     {"10055", "WSAENOBUFS", "The host ran out of buffers or ports.", front_end,
      "Check the load and the open connections of the host that reported it.", winsock_source}},
    {10060,
     {"10060", "WSAETIMEDOUT", "Nothing answered the connection attempt: its packets are probably dropped.", network,
      "Check the firewall rule for the port, the address that the name resolves to, and the route back.",
      winsock_source}},
    {10061,
     {"10061", "WSAECONNREFUSED", "The host was reached and refused the connection: nothing accepts on that port.",
      edge,
      "Check that the A/V authentication service of the Edge runs and listens on its internal interface, port 5062.",
      winsock_source}},
    {10064,
     {"10064", "WSAEHOSTDOWN", "The peer's host is down.", network,
      "Check that the host runs and that its address is right.", winsock_source}},
    {10065,
     {"10065", "WSAEHOSTUNREACH", "The peer's host cannot be reached.", network,
      "Check the routes to the host and that its address is right.", winsock_source}},
    {11001,
     {"11001", "WSAHOST_NOT_FOUND", "The peer's name is not known to the name server.", network,
      "Publish the DNS A record of the Edge's internal name where the Front End looks, or put it into its hosts file.",
      winsock_source}},
    {11002,
     {"11002", "WSATRY_AGAIN", "The name server did not answer.", network,
      "Check the name servers that the host is configured with.", winsock_source}},
    {11003,
     {"11003", "WSANO_RECOVERY", "The name server failed for good.", network,
      "Check the name servers that the host is configured with.", winsock_source}},
    {11004,
     {"11004", "WSANO_DATA", "The peer's name exists and has no address.", network,
      "Publish a DNS A record for the name.", winsock_source}},
});

struct ErrnoPair {
  int error;
  int winsock;
};

constexpr auto errno_pairs = std::to_array<ErrnoPair>({
    {EACCES, 10013},
    {EPERM, 10013},
    {EADDRINUSE, 10048},
    {EADDRNOTAVAIL, 10049},
    {ENETDOWN, 10050},
    {ENETUNREACH, 10051},
    {ENETRESET, 10052},
    {ECONNABORTED, 10053},
    {ECONNRESET, 10054},
    {EPIPE, 10054},
    {ENOBUFS, 10055},
    {ETIMEDOUT, 10060},
    {ECONNREFUSED, 10061},
    {EHOSTDOWN, 10064},
    {EHOSTUNREACH, 10065},
});

constexpr std::string_view tls13 = "RFC 8446, 6";
constexpr std::string_view tls12 = "RFC 5246, 7.2";
constexpr std::string_view tls_extensions = "RFC 6066, 9";

constexpr auto alerts = std::to_array<Row<std::uint8_t>>({
    {0,
     {"0", "close_notify", "The Edge closed the connection in good order.", nobody,
      "Where this comes instead of an answer, look at what the Edge logged at that time.", tls13}},
    {10,
     {"10", "unexpected_message", "The Edge got a TLS message that it did not expect at that point.", network,
      "Look for a device on the way that takes TLS apart; else report it with a recording.", tls13}},
    {20,
     {"20", "bad_record_mac", "A record reached the Edge altered.", network,
      "Look for a device on the way that takes TLS apart.", tls13}},
    {21,
     {"21", "decryption_failed", "A record could not be decrypted; only old TLS versions send this.", edge,
      "Bring the Edge's TLS up to date.", tls12}},
    {22,
     {"22", "record_overflow", "A record was longer than TLS allows.", network,
      "Look for a device on the way that takes TLS apart.", tls13}},
    {30,
     {"30", "decompression_failure", "Compressed data could not be read; only old TLS versions send this.", edge,
      "Turn TLS compression off on the Edge.", tls12}},
    {40,
     {"40", "handshake_failure",
      "The Edge found no TLS version, cipher or signature algorithm in common, or our certificate is not acceptable to "
      "it.",
      edge, "Compare TLS versions and ciphers of both sides, then check that the Edge trusts our certificate's chain.",
      tls13}},
    {41,
     {"41", "no_certificate", "A certificate was asked for and none was sent (SSL 3.0 only).", front_end,
      "Configure the Front End's certificate and key, and move the peer off SSL 3.0.", tls12}},
    {42,
     {"42", "bad_certificate", "The Edge found our certificate damaged, or a signature in its chain does not verify.",
      pki,
      "Compare the CA certificates of one name on both servers: a chain built with a stale one of them does not "
      "verify.",
      tls13}},
    {43,
     {"43", "unsupported_certificate", "The Edge cannot use our certificate for this purpose.", front_end,
      "Check its key type and that its extended key usage has client and server authentication.", tls13}},
    {44,
     {"44", "certificate_revoked", "Our certificate or a CA above it is revoked.", pki,
      "Issue a new certificate and assign it.", tls13}},
    {45,
     {"45", "certificate_expired", "Our certificate or a CA above it is expired or not yet valid on the Edge's clock.",
      pki, "Renew the certificate that expired, and compare the clocks of both servers.", tls13}},
    {46,
     {"46", "certificate_unknown", "The Edge rejected our certificate for a reason that it does not tell.", edge,
      "Open our certificate on the Edge (certutil -verify -urlfetch FILE) and read what it says of the chain.", tls13}},
    {47,
     {"47", "illegal_parameter", "The Edge found a field of the handshake out of range.", network,
      "Look for a device on the way that takes TLS apart; else report it with a recording.", tls13}},
    {48,
     {"48", "unknown_ca", "The Edge cannot lead our certificate to a root that it trusts.", edge,
      "Import our root CA, by its thumbprint, into Trusted Root and our issuing CA into Intermediate Certification "
      "Authorities of the Edge's local computer; remove one of the same name there only when same-name-issuers says "
      "that it may go.",
      tls13}},
    {49,
     {"49", "access_denied", "Our certificate is valid, and the Edge does not let its owner in.", topology,
      "Check that the name in our certificate is a server of the Edge's topology, and that the topology has been "
      "replicated to the Edge.",
      tls13}},
    {50,
     {"50", "decode_error", "The Edge could not decode a message of the handshake.", network,
      "Look for a device on the way that takes TLS apart; else report it with a recording.", tls13}},
    {51,
     {"51", "decrypt_error",
      "A signature of the handshake did not verify: our key does not fit our certificate, or the "
      "Edge took another certificate for ours.",
      front_end, "Check that key and certificate belong together, and look for CA certificates of one name.", tls13}},
    {60,
     {"60", "export_restriction", "Only TLS 1.0 with export ciphers sends this.", edge,
      "Bring the Edge's TLS up to date.", tls12}},
    {70,
     {"70", "protocol_version", "The Edge knows our TLS version and does not allow it.", edge,
      "Enable TLS 1.2 on the Edge (SChannel and .NET registry keys).", tls13}},
    {71,
     {"71", "insufficient_security", "The Edge wants stronger ciphers or keys than ours.", pki,
      "Replace keys and signatures that are too weak (RSA 1024, SHA-1), and compare the ciphers of both sides.",
      tls13}},
    {80,
     {"80", "internal_error", "The Edge failed in itself.", edge, "Read the Edge's System event log, source Schannel.",
      tls13}},
    {86,
     {"86", "inappropriate_fallback", "The Edge saw a retry with a lower TLS version than both sides know.", network,
      "Look for a device on the way that breaks handshakes.", "RFC 7507, 3"}},
    {90,
     {"90", "user_canceled", "The handshake was given up, not for a fault of the protocol.", nobody, "Try again.",
      tls13}},
    {100,
     {"100", "no_renegotiation", "The Edge does not negotiate again on a connection that stands.", nobody,
      "Nothing is wrong when the connection goes on.", tls12}},
    {109,
     {"109", "missing_extension", "The Edge misses a TLS extension that it needs.", edge,
      "Compare the TLS versions and updates of both sides.", tls13}},
    {110,
     {"110", "unsupported_extension", "The Edge got a TLS extension that it did not offer.", network,
      "Look for a device on the way that takes TLS apart; else report it with a recording.", tls13}},
    {111,
     {"111", "certificate_unobtainable", "The Edge could not fetch our certificate from the URL given.", front_end,
      "Send the certificate itself.", tls_extensions}},
    {112,
     {"112", "unrecognized_name", "The Edge knows no server by the name that was asked for.", topology,
      "Ask for the name that stands in the Edge's internal certificate.", tls13}},
    {113,
     {"113", "bad_certificate_status_response",
      "The Edge could not use the OCSP answer that came with our certificate.", pki,
      "Check the OCSP responder of the CA.", tls13}},
    {114,
     {"114", "bad_certificate_hash_value", "The hash given for our certificate's URL does not fit.", front_end,
      "Send the certificate itself.", tls_extensions}},
    {115,
     {"115", "unknown_psk_identity", "The Edge knows no pre-shared key of that name.", nobody,
      "Try again with a fresh handshake.", tls13}},
    {116,
     {"116", "certificate_required", "The Edge asked for a client certificate, and none was sent.", front_end,
      "Configure the Front End's certificate and key, and check that its issuer is among the CAs that the Edge names.",
      tls13}},
    {120,
     {"120", "no_application_protocol", "The Edge shares none of the application protocols offered.", edge,
      "Check that the port is the A/V authentication service and no web server.", tls13}},
});

constexpr std::string_view erref = "MS-ERREF, 2.1.1";
constexpr std::string_view trace_article =
    "Microsoft TechNet blog, \"Issues with MRAS and Limited External Calling\" (2012)";
constexpr std::string_view federation_article =
    "Microsoft Learn, Skype for Business troubleshooting: Test-CsFederatedPartner";

constexpr auto hresults = std::to_array<Row<std::uint32_t>>({
    {0x00090320,
     {"0x00090320", "SEC_I_INCOMPLETE_CREDENTIALS", "A client certificate was asked for and none was sent.", front_end,
      "Assign a certificate with its private key to the server that connects.", erref}},
    {0x80090308,
     {"0x80090308", "SEC_E_INVALID_TOKEN", "What came is no TLS, or a version that is not allowed.", network,
      "Check that the port is the one of the Edge's service, and compare the TLS versions of both sides.", erref}},
    {0x8009030C,
     {"0x8009030C", "SEC_E_LOGON_DENIED", "The user's credentials were rejected; TLS is not at fault.", topology,
      "Check account and password, and the authentication settings of the pool.", erref}},
    {0x8009030D,
     {"0x8009030D", "SEC_E_UNKNOWN_CREDENTIALS", "The server's own certificate or its private key cannot be used.",
      front_end, "Check that the service's account may read the private key, and assign the certificate again.",
      erref}},
    {0x8009030E,
     {"0x8009030E", "SEC_E_NO_CREDENTIALS", "The server has no usable certificate of its own.", front_end,
      "Assign a certificate with its private key.", erref}},
    {0x8009030F,
     {"0x8009030F", "SEC_E_MESSAGE_ALTERED", "A record was altered on its way.", network,
      "Look for a device on the way that takes TLS apart.", erref}},
    {0x80090317,
     {"0x80090317", "SEC_E_CONTEXT_EXPIRED", "The peer has closed the TLS connection.", nobody,
      "Where it comes during the handshake, look at what the peer logged at that time.", erref}},
    {0x80090318,
     {"0x80090318", "SEC_E_INCOMPLETE_MESSAGE", "A TLS record was not whole when the connection ended.", network,
      "Check the network path for resets and devices that take TLS apart.", erref}},
    {0x80090322,
     {"0x80090322", "SEC_E_WRONG_PRINCIPAL", "The peer's certificate does not hold the name that was used to reach it.",
      pki, "Issue the peer a certificate with that name as subject CN or DNS alternative name.", erref}},
    {0x80090324,
     {"0x80090324", "SEC_E_TIME_SKEW", "The clocks of both servers differ too much.", front_end,
      "Compare clock and time zone of both servers (w32tm /query /status).", erref}},
    {0x80090325,
     {"0x80090325", "SEC_E_UNTRUSTED_ROOT", "The peer's chain ends in a root that this server does not trust.", pki,
      "Import the peer's root CA into Trusted Root of the local computer on the server that reports it.", erref}},
    {0x80090326,
     {"0x80090326", "SEC_E_ILLEGAL_MESSAGE",
      "The handshake broke off: the TLS versions or ciphers do not meet, or the peer probably rejected our "
      "certificate.",
      edge, "Compare TLS versions and ciphers, then check that the peer trusts our chain.", erref}},
    {0x80090327,
     {"0x80090327", "SEC_E_CERT_UNKNOWN", "The peer's certificate failed for a reason of no other code.", pki,
      "Check the chain by hand: certutil -verify -urlfetch FILE.", erref}},
    {0x80090328,
     {"0x80090328", "SEC_E_CERT_EXPIRED", "A certificate of the peer's chain is expired.", pki,
      "Renew it, assign it, and check the clocks.", erref}},
    {0x80090329,
     {"0x80090329", "SEC_E_ENCRYPT_FAILURE", "A message could not be encrypted.", front_end,
      "Restart the service and read the System event log, source Schannel.", erref}},
    {0x80090330,
     {"0x80090330", "SEC_E_DECRYPT_FAILURE", "A message could not be decrypted.", network,
      "Look for a device on the way that takes TLS apart.", erref}},
    {0x80090331,
     {"0x80090331", "SEC_E_ALGORITHM_MISMATCH", "Both sides have no TLS version or cipher in common.", front_end,
      "Enable a TLS version and a cipher suite that both know.", erref}},
    {0x80090349,
     {"0x80090349", "SEC_E_CERT_WRONG_USAGE", "The certificate may not be used for this purpose.", pki,
      "Issue one whose extended key usage has server authentication (and client authentication).", erref}},
    {0x80092010,
     {"0x80092010", "CRYPT_E_REVOKED", "A certificate of the chain is revoked.", pki,
      "Issue a new certificate and assign it.", erref}},
    {0x80092012,
     {"0x80092012", "CRYPT_E_NO_REVOCATION_CHECK", "It could not be checked whether the certificate is revoked.", pki,
      "Publish a CRL where the server that checks can fetch it.", erref}},
    {0x80092013,
     {"0x80092013", "CRYPT_E_REVOCATION_OFFLINE", "The place where the CRL is published could not be reached.", network,
      "Let the server that checks reach the CRL's URL (TCP port 80 outbound).", erref}},
    {0x80096004,
     {"0x80096004", "TRUST_E_CERT_SIGNATURE", "The signature of a certificate in the chain does not verify.", pki,
      "Look for several CA certificates of one name: only one of them has the key that signed.", erref}},
    {0x800B0101,
     {"0x800B0101", "CERT_E_EXPIRED", "A certificate of the chain is expired or not yet valid.", pki,
      "Renew it, assign it, and check the clocks.", erref}},
    {0x800B0109,
     {"0x800B0109", "CERT_E_UNTRUSTEDROOT", "The chain ends in a root that is not trusted.", pki,
      "Import the root CA into Trusted Root of the local computer, and remove from there every certificate that is not "
      "self-signed.",
      erref}},
    {0x800B010A,
     {"0x800B010A", "CERT_E_CHAINING", "No chain to a trusted root could be built.", pki,
      "Install the missing issuing CA certificate into Intermediate Certification Authorities of the local computer.",
      erref}},
    {0x800B010C,
     {"0x800B010C", "CERT_E_REVOKED", "A certificate of the chain is revoked by its issuer.", pki,
      "Issue a new certificate and assign it.", erref}},
    {0x800B010F,
     {"0x800B010F", "CERT_E_CN_NO_MATCH", "The certificate does not hold the name that was used.", pki,
      "Issue one with that name as subject CN or DNS alternative name.", erref}},
    {0x800B0110,
     {"0x800B0110", "CERT_E_WRONG_USAGE", "The certificate may not be used for this purpose.", pki,
      "Issue one whose extended key usage has server authentication (and client authentication).", erref}},
    {0x800B0112,
     {"0x800B0112", "CERT_E_UNTRUSTEDCA", "A CA of the chain is not trusted for this.", pki,
      "Check the constraints of the CA certificates and the NTAuth store.", erref}},
    {0x800B0114,
     {"0x800B0114", "CERT_E_INVALID_NAME", "A name in the certificate is not allowed by a CA above it.", pki,
      "Check the name constraints of the CA certificates.", erref}},
    {0xC3E8302D,
     {"0xC3E8302D", "SIPPROXY_E_WORKER_PROCESS_SLOW_INITIALIZING",
      "A worker process of the Front End took too long to start (event 12330).", front_end,
      "Check the load of the Front End and its SQL server, and read the events around it.",
      "Microsoft Learn, Skype for Business troubleshooting: event 12330"}},
    {0xC3E93C2F,
     {"0xC3E93C2F", "SIPPROXY_E_UNKNOWN_USER_OR_EPID",
      "The user or the endpoint is not known to this pool (event 32263).", topology,
      "Check the user's home pool and the event's details.",
      "Microsoft Learn, Skype for Business troubleshooting: event 32263"}},
    {0xC3E93C5E,
     {"0xC3E93C5E", "SIPPROXY_E_ROUTING",
      "The Route of a request is from an untrusted source or does not fit the connection it came by.", topology,
      "Check the trusted servers of the topology, and the versions of both sides.", federation_article}},
    {0xC3E93C5F,
     {"0xC3E93C5F", "SIPPROXY_E_ROUTING_UNKNOWN_DOMAIN", "The domain of the request is probably not known here.",
      topology, "Check the SIP domains and the federation settings.", "unconfirmed: no public document found"}},
    {0xC3E93C69,
     {"0xC3E93C69", "SIPPROXY_E_CONNECTION_FAILED", "The connection to the next server failed.", edge,
      "Check port, DNS and both chains; where these are right, compare the patch levels and patch the Edge to the "
      "Front "
      "End's level.",
      trace_article}},
    {0xC3E93D67,
     {"0xC3E93D67", "SIPPROXY_E_ROUTING_MSG_CERT_MISMATCH", "The peer's certificate lacks the FQDN that was expected.",
      pki, "Issue the peer a certificate with that FQDN as subject CN or DNS alternative name.",
      "Cisco document 212383"}},
    {0xC3E93D6F,
     {"0xC3E93D6F", "SIPPROXY_E_EPROUTING_MSG_ALLOWED_DOMAIN_NO_SRV_MATCH",
      "The target of the DNS SRV record is in another domain.", network,
      "Let the SRV record point to a host of the same domain.", "Cisco document 212383"}},
    {0xC3EE78F8,
     {"0xC3EE78F8", "stored procedure version mismatch",
      "The servers are patched and their database is not (event 30968, OCS 2007 R2).", topology,
      "Run the database update of that cumulative update first.",
      "confusedamused.com, OCS 2007 R2 cumulative update 6"}},
});

/// Those that are known by their name alone: no public document has their number.
constexpr auto nameless_hresults = std::to_array<Explanation>({
    {"SIPPROXY_E_EPROUTING_MSG_INVALID_EXT_SPLIT_DOMAIN", "SIPPROXY_E_EPROUTING_MSG_INVALID_EXT_SPLIT_DOMAIN",
     "A request came for a domain that is split between this site and another one, and its sender may not use that; "
     "seen in hybrid deployments.",
     topology, "Check the shared address space settings of both halves (Get-CsAccessEdgeConfiguration).",
     "Microsoft Learn, Skype for Business troubleshooting: call queues"},
});

constexpr std::string_view ocer = "MS-OCER, 8.2";
constexpr std::string_view ocer_common = "MS-OCER, 9.2.2";
constexpr std::string_view capture = "public SIP traces; no Microsoft page found";

constexpr auto diagnostics_ids = std::to_array<Row<unsigned>>({
    {0,
     {"0", "Server internal error", "The server failed in itself.", front_end, "Read the server's own trace.",
      ocer_common}},
    {1,
     {"1", "Service unavailable", "The next server has the service down.", edge, "Start the service there.",
      ocer_common}},
    {2,
     {"2", "See response code and reason phrase", "The cause stands in the SIP status and in HRESULT.", front_end,
      "Look at status and HRESULT.", trace_article}},
    {4,
     {"4", "Insufficient bandwidth to establish session. Do not attempt re-route",
      "Call admission control refused the session.", topology, "Check the bandwidth policy of the site.", ocer_common}},
    {1000,
     {"1000", "Final handshake failed", "The client could not be authenticated.", front_end,
      "Check the NTLM, Kerberos and certificate authentication settings of the pool.", ocer}},
    {1001,
     {"1001", "From URI is not authorized to communicate with public IM providers", "The user's policy forbids it.",
      topology, "Check the external access policy of the user.", ocer}},
    {1002,
     {"1002", "From URI is not authorized to communicate with federated partners", "The user's policy forbids it.",
      topology, "Check the external access policy of the user.", ocer}},
    {1003,
     {"1003", "User does not exist", "The SIP address is not known.", topology,
      "Check the identity that is asked for; give one of an enabled user.", ocer}},
    {1004,
     {"1004", "Route set is no longer valid", "The server restarted, or the pool has changed.", front_end,
      "Sign in again.", ocer}},
    {1005,
     {"1005", "Cannot route to destination domain",
      "No route leads to the domain of the request; for MRAS the domain of its address, or the Edge, is probably "
      "missing "
      "in the topology.",
      topology, "Check that the pool is associated with the Edge, and the domain of the MRAS address.", ocer}},
    {1006,
     {"1006", "Error routing on client connection", "The request could not be passed on to the client's connection.",
      front_end, "Sign in again; else read the server's trace.", ocer}},
    {1007,
     {"1007", "Temporarily cannot route",
      "The next server failed shortly before and is probably not tried for a while.", edge,
      "Mend the next server, then try again.", ocer}},
    {1008,
     {"1008", "Unable to resolve DNS SRV record", "A domain's SRV record was not found.", network,
      "Publish the SRV record, and check the name servers of the host that asks.", ocer}},
    {1009,
     {"1009", "Conflicting SRV and host domains in DNS", "The target of the SRV record is in another domain.", network,
      "Let the SRV record point to a host of the same domain.", ocer}},
    {1010,
     {"1010", "Certificate trust with next-hop server could not be established",
      "The certificate of the next server was not accepted.", pki,
      "Look at HRESULT: it says whether name, chain or dates are wrong.", ocer}},
    {1011,
     {"1011", "Ms-diagnostics header not provided by previous hop", "The server before gave no reason.", edge,
      "Read the trace of the server before.", ocer}},
    {1012,
     {"1012", "From URI is not authorized to communicate with users outside the enterprise",
      "The user's policy forbids it.", topology, "Check the external access policy of the user.", ocer}},
    {1013,
     {"1013", "Significant time skew detected during authentication", "Clocks differ too much.", front_end,
      "Compare clock and time zone of both servers (w32tm /query /status).", ocer}},
    {1014,
     {"1014", "Unable to resolve DNS A record", "The name of the next server was not found.", network,
      "Publish its DNS A record where the Front End looks, or put it into the hosts file.", ocer}},
    {1017,
     {"1017", "Cannot route From and To domains in this combination",
      "The domains of both users do not go together, probably in a hybrid deployment.", topology,
      "Check the shared address space settings.", capture}},
    {1027,
     {"1027", "Cannot route this type of SIP request to or from federated partners",
      "The request is not allowed towards federated partners.", topology,
      "Check the routing and the Edge configuration.", capture}},
    {1034,
     {"1034", "Previous hop federated peer did not report diagnostic information", "The remote side gave no reason.",
      topology, "Ask for the trace of the remote side.", capture}},
    {1036,
     {"1036", "Previous hop shared address space peer did not report diagnostic information",
      "The other half of a hybrid deployment probably gave no reason.", topology,
      "Look at the other half of the deployment.", "unconfirmed: no public document found"}},
    {1038,
     {"1038", "Failed to connect to a peer server", "The server could not connect to the next one.", edge,
      "Look at WinsockFailureCode, and test the port from the server that reports it.", trace_article}},
    {1046,
     {"1046", "Failed to connect to a federated peer server",
      "The Edge probably could not connect to a federated partner's Edge.", network,
      "Check port 5061 outbound and the partner's Edge.", "unconfirmed: no public document found"}},
    {1047,
     {"1047", "Failed to complete TLS negotiation with a federated peer server",
      "The peer broke off the TLS handshake: it probably rejected our certificate because its store lacks our CA.",
      topology, "Let the peer import our CA chain, and compare TLS versions.", "risual.com blog on federation (2012)"}},
    {4003,
     {"4003", "User is not enabled for remote access", "The account may not come in from outside.", topology,
      "Check the external access policy of the user.", "MS-OCER, user services"}},
    {4004,
     {"4004", "Credentials are not authorized for the From URI", "The account signed in is not the one in From.",
      topology, "Check the account and its SIP address.", "MS-OCER, user services"}},
    {4005,
     {"4005", "Destination URI is unknown or not enabled for SIP", "The user asked for is not there.", topology,
      "Check the account that is asked for.", "MS-OCER, user services"}},
    {4006,
     {"4006", "User is not homed in this pool", "The user belongs to another pool.", topology,
      "Check the user's home pool.", "MS-OCER, user services"}},
    {5000,
     {"5000", "One or more critical applications are not running", "An application of the Front End is down.",
      front_end, "Check the services of the Front End.", "MS-OCER, API applications"}},
    {5001,
     {"5001", "Request timed out", "An application of the Front End was too slow.", front_end,
      "Check the services and the load of the Front End.", "MS-OCER, API applications"}},
    {7001,
     {"7001", "NAT/Firewall traversal service not available",
      "The A/V conferencing server has no relay: probably the conferencing side of an MRAS fault.", edge,
      "Check that the pool gets credentials from its Edge.", "MS-OCER, 8.8"}},
    {9000,
     {"9000", "", "An error of MRAS itself; its text is probably in reason.", edge,
      "Read the reason, and the trace of the Edge (component MRAS).", "MS-OCER; its text is unconfirmed"}},
    {9001,
     {"9001", "", "An error of MRAS itself; its text is probably in reason.", edge,
      "Read the reason, and the trace of the Edge (component MRAS).", "MS-OCER; its text is unconfirmed"}},
    {10003,
     {"10003", "Proxy returned a SIP failure code", "The Mediation Server passes on the error of another server.",
      topology, "Look at SipResponseCode and SipResponseText.", capture}},
});

constexpr std::string_view mras_source = "MS-AVEDGEA; conditions as in the OfficeSIP Server source";

constexpr auto mras_reasons = std::to_array<Explanation>({
    {"OK", "OK", "The credentials were granted.", nobody, "Nothing is to be done.", mras_source},
    {"Request Malformed", "Request Malformed",
     "MRAS could not read the request, or did not accept its identity, location or route.", topology,
     "Check the identity that is asked for; if it is right, report it with a recording.", mras_source},
    {"Request Too Large", "Request Too Large", "One request asked for too many credentials.", topology,
     "Ask for fewer at a time.", mras_source},
    {"Not Supported", "Not Supported", "MRAS cannot grant credentials, probably because it has no keys.", edge,
     "Check the A/V authentication certificate of the Edge, and restart its A/V authentication service.", mras_source},
    {"Server Busy", "Server Busy", "MRAS is probably overloaded.", edge, "Check the load of the Edge, and try again.",
     mras_source},
    {"Time Out", "Time Out", "MRAS probably waited in vain for another service.", edge,
     "Check the services of the Edge, and try again.", mras_source},
    {"Forbidden", "Forbidden", "MRAS probably does not grant this server or this user any credentials.", topology,
     "Check that the Front End is a server of the Edge's topology, and the user's policies.", mras_source},
    {"Internal Server Error", "Internal Server Error", "MRAS probably failed in itself.", edge,
     "Read the event log of the Edge, and restart its A/V authentication service.", mras_source},
    {"Other Failure", "Other Failure", "MRAS refused, probably for a reason of no other name.", edge,
     "Read the trace of the Edge (component MRAS).", mras_source},
    {"Version Mismatch", "Version Mismatch",
     "MRAS does not speak the version of the request; serverVersion says which.", edge,
     "Compare the product and patch levels of Front End and Edge.", mras_source},
});

constexpr std::string_view x509_vfy = "OpenSSL, X509_STORE_CTX_get_error(3); RFC 5280, 6.1";

constexpr auto verify_errors = std::to_array<Row<int>>({
    {1,
     {"1", "UNSPECIFIED", "The chain was rejected for a reason that has no number of its own.", pki,
      "Run openssl verify -show_chain with the same files, and read what it prints.", x509_vfy}},
    {2,
     {"2", "UNABLE_TO_GET_ISSUER_CERT", "The issuer of a CA certificate in the chain was not found.", pki,
      "Add the missing CA certificate to the trust store of the side that checks.", x509_vfy}},
    {3,
     {"3", "UNABLE_TO_GET_CRL", "Revocation was asked for, and no list of the issuer was at hand.", pki,
      "Publish the revocation list where the side that checks can fetch it.", x509_vfy}},
    {7,
     {"7", "CERT_SIGNATURE_FAILURE", "The signature of a certificate does not verify with the issuer that was taken.",
      pki,
      "Look for several CA certificates of one name (mrascheck issuers): only one of them has the key that signed.",
      x509_vfy}},
    {9,
     {"9", "CERT_NOT_YET_VALID", "A certificate of the chain is not valid yet.", pki,
      "Compare the clock of the side that checks with the certificate's first day.", x509_vfy}},
    {10,
     {"10", "CERT_HAS_EXPIRED", "A certificate of the chain is expired.", pki,
      "Renew it, assign it, and check the clocks.", x509_vfy}},
    {12,
     {"12", "CRL_HAS_EXPIRED", "The revocation list is past its next update.", pki,
      "Publish a new list on the CA (certutil -crl).", x509_vfy}},
    {18,
     {"18", "DEPTH_ZERO_SELF_SIGNED_CERT", "The server shows a self-signed certificate that is not trusted.", pki,
      "Give the server a certificate of a CA that both sides trust.", x509_vfy}},
    {19,
     {"19", "SELF_SIGNED_CERT_IN_CHAIN", "The chain ends in a root that is not trusted.", pki,
      "Import that root, by its thumbprint, into the trusted roots of the side that checks.", x509_vfy}},
    {20,
     {"20", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "The issuer of a certificate was neither sent nor found in the trust store.", pki,
      "Let the server send its intermediate CA certificates, or import them where they are missed.", x509_vfy}},
    {21,
     {"21", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "Only the server's own certificate was sent, and its issuer is unknown.",
      pki, "Let the server send its intermediate CA certificates, or import them where they are missed.", x509_vfy}},
    {22,
     {"22", "CERT_CHAIN_TOO_LONG", "The chain is longer than the side that checks allows.", pki,
      "Look for CA certificates that sign each other in a circle.", x509_vfy}},
    {23,
     {"23", "CERT_REVOKED", "A certificate of the chain is revoked.", pki, "Issue a new certificate and assign it.",
      x509_vfy}},
    {24,
     {"24", "NO_ISSUER_PUBLIC_KEY", "The issuer's certificate has no key that can be used.", pki,
      "Look at the issuer's certificate: it is damaged, or its key is of a kind that OpenSSL does not know.",
      x509_vfy}},
    {25,
     {"25", "PATH_LENGTH_EXCEEDED", "More CAs stand below a CA than its path length allows.", pki,
      "Issue the CA certificate with a greater path length, or the server's certificate from a CA higher up.",
      x509_vfy}},
    {26,
     {"26", "INVALID_PURPOSE", "A certificate may not be used for this side of TLS.", pki,
      "Issue one whose extended key usage has server and client authentication; a CA's may restrict it, too.",
      x509_vfy}},
    {27,
     {"27", "CERT_UNTRUSTED", "The root is marked as not trusted for this purpose.", pki,
      "Look at the trust settings of the root: openssl x509 -text shows them for a TRUSTED CERTIFICATE.", x509_vfy}},
    {28,
     {"28", "CERT_REJECTED", "The root is marked as rejected for this purpose.", pki,
      "Look at the trust settings of the root: openssl x509 -text shows them for a TRUSTED CERTIFICATE.", x509_vfy}},
    {29,
     {"29", "SUBJECT_ISSUER_MISMATCH", "A candidate was no issuer: its name is another one.", nobody,
      "Where the chain stands nevertheless, nothing is to be done.", x509_vfy}},
    {30,
     {"30", "AKID_SKID_MISMATCH",
      "A candidate was no issuer: it bears the name, and its key identifier is another one.", pki,
      "Look for several CA certificates of one name: mrascheck issuers.", x509_vfy}},
    {31,
     {"31", "AKID_ISSUER_SERIAL_MISMATCH",
      "A candidate was no issuer: it bears the name, and its serial number is another one.", pki,
      "Look for several CA certificates of one name: mrascheck issuers.", x509_vfy}},
    {32,
     {"32", "KEYUSAGE_NO_CERTSIGN", "A candidate was no issuer: its key usage does not let it sign certificates.", pki,
      "Issue the CA certificate with keyCertSign in its key usage.", x509_vfy}},
    {34,
     {"34", "UNHANDLED_CRITICAL_EXTENSION", "A certificate has a critical extension that OpenSSL does not know.", pki,
      "Issue the certificate without it, or with the extension not critical.", x509_vfy}},
    {47,
     {"47", "PERMITTED_VIOLATION", "A name is outside what a CA above may certify.", pki,
      "Compare the names in the certificate with the name constraints of its CAs.", x509_vfy}},
    {48,
     {"48", "EXCLUDED_VIOLATION", "A name is among those that a CA above must not certify.", pki,
      "Compare the names in the certificate with the name constraints of its CAs.", x509_vfy}},
    {62,
     {"62", "HOSTNAME_MISMATCH", "The certificate does not hold the name that was used to reach the server.", pki,
      "Issue one with that name as DNS alternative name.", x509_vfy}},
    {64,
     {"64", "IP_ADDRESS_MISMATCH", "The server was reached by its address, and the certificate does not hold that.",
      pki, "Use the name that the certificate holds.", x509_vfy}},
    {66,
     {"66", "EE_KEY_TOO_SMALL", "The server's key is too short for the security level.", pki,
      "Issue a certificate with RSA 2048 or more.", x509_vfy}},
    {67,
     {"67", "CA_KEY_TOO_SMALL", "A CA's key is too short for the security level.", pki,
      "Renew the CA with a new key of RSA 2048 or more.", x509_vfy}},
    {68,
     {"68", "CA_MD_TOO_WEAK", "A certificate is signed with a digest that is too weak, such as SHA-1.", pki,
      "Let the CA sign with SHA-256, and issue the certificate again.", x509_vfy}},
    {79,
     {"79", "INVALID_CA", "What stands above in the chain is no CA certificate.", pki,
      "Look at its basic constraints: a CA has cA set.", x509_vfy}},
});

// The names are those of draft-rosenberg-midcom-turn-08; what each means on a Microsoft relay is as in the source of
// OfficeSIP Server.
constexpr std::string_view relay_source = "MS-TURN; RFC 8656, 18 and 19; conditions as in the OfficeSIP Server source";

constexpr auto relay_errors = std::to_array<Row<unsigned>>({
    {300,
     {"300", "Try Alternate", "The relay has no room and names another one.", edge,
      "Check the load of the Edge; the client goes on with the other relay.", relay_source}},
    {400,
     {"400", "Bad Request", "The relay could not read the request.", network,
      "Look for a device on the way that changes the packets.", relay_source}},
    {401,
     {"401", "Unauthorized",
      "As a first answer it only asks for credentials; a second one rejects them: the keys of MRAS and relay probably "
      "differ, or the credentials have expired.",
      edge, "Compare the A/V authentication certificate on all Edges of the pool, and the clocks.", relay_source}},
    {403,
     {"403", "Forbidden", "The relay does not allow this to this user (standard TURN).", edge,
      "Check the rights of the user and the addresses that the relay allows.", relay_source}},
    {420,
     {"420", "Unknown Attribute", "The relay does not know a part of the request that it must know.", edge,
      "Compare the versions of client and Edge.", relay_source}},
    {430,
     {"430", "Stale Credentials", "The credentials have expired.", front_end,
      "Compare the clocks of Front End and Edge; ask for new credentials.", relay_source}},
    {431,
     {"431", "Integrity Check Failure", "The password does not fit: the keys of MRAS and relay probably differ.", edge,
      "Compare the A/V authentication certificate on all Edges of the pool.", relay_source}},
    {432,
     {"432", "Missing Username", "The request held no user name.", network,
      "Look for a device on the way that changes the packets.", relay_source}},
    {434,
     {"434", "Missing Realm", "The request held no realm, or another one than the relay's.", edge,
      "Compare the versions of client and Edge.", relay_source}},
    {435,
     {"435", "Missing Nonce", "The request held no nonce.", network,
      "Look for a device on the way that changes the packets.", relay_source}},
    {436,
     {"436", "Unknown Username",
      "The user name was not made by this relay's MRAS: the credentials are probably of another Edge pool.", edge,
      "Check which Edge pool the Front End asks, and compare the A/V authentication certificate on all its Edges.",
      relay_source}},
    {437,
     {"437", "No Binding", "The relay knows no allocation of this client.", nobody,
      "Where it comes in the middle of a call, look whether the relay was restarted.", relay_source}},
    {438,
     {"438", "Stale Nonce", "The nonce is too old; the client asks again with the new one.", nobody,
      "Nothing is wrong when the next request goes through.", relay_source}},
    {439,
     {"439", "Transitioning", "The relay is changing the destination and takes no other change meanwhile.", nobody,
      "Nothing is wrong when the next request goes through.", relay_source}},
    {440,
     {"440", "No Destination", "Data came before a destination was set.", nobody,
      "Nothing is to be done on the servers.", relay_source}},
    {441,
     {"441", "Wrong Username", "The allocation belongs to another user.", network,
      "Look for a device on the way that gives several clients one address and port.", relay_source}},
    {442,
     {"442", "Unsupported Transport Protocol", "The relay does not give addresses for UDP (standard TURN).", edge,
      "Check the transports that the relay is set up for.", relay_source}},
    {486,
     {"486", "Allocation Quota Reached", "The user has as many allocations as the relay gives (standard TURN).", edge,
      "Check the quota of the relay.", relay_source}},
    {500,
     {"500", "Server Error", "The relay failed in itself.", edge, "Read the event log of the Edge.", relay_source}},
    {508,
     {"508", "Insufficient Capacity", "The relay has no port left (standard TURN).", edge,
      "Check the load of the relay and its range of ports.", relay_source}},
    {600,
     {"600", "Global Failure", "The relay refuses, and every other one would.", edge, "Read the event log of the Edge.",
      relay_source}},
});

constexpr auto events = std::to_array<Row<unsigned>>({
    {12303,
     {"12303", "the Access Edge does not start",
      "Reported together with 14694 and 14397 for Lync Server 2013 Edges after the update of January 2014; its serial "
      "number is printed with its bytes in reverse order.",
      edge, "Look the certificate up by the serial number read backwards, and assign it again.",
      "public reports on Lync Server 2013, cumulative update of January 2014"}},
    {12330,
     {"12330", "failed starting a worker process", "A worker process of the Front End did not start in time.",
      front_end, "Check the load of the Front End and its SQL server, and read the events around it.",
      "Microsoft Learn, Skype for Business troubleshooting: event 12330"}},
    {14397,
     {"14397", "a certificate of the Edge cannot be used",
      "Reported together with 12303 and 14694 for Lync Server 2013 Edges after the update of January 2014; its serial "
      "number is printed with its bytes in reverse order.",
      edge, "Look the certificate up by the serial number read backwards, and assign it again.",
      "public reports on Lync Server 2013, cumulative update of January 2014"}},
    {14428,
     {"14428", "TLS outgoing connection failures",
      "The server could not connect to others by TLS; often the name is wrong or the root is not trusted.", pki,
      "Install the peer's CA chain, check the name in its certificate, and restart the service.",
      "Microsoft, management pack for Office Communications Server, event 14428"}},
    {14517,
     {"14517", "a configuration that contradicts itself",
      "One FQDN is configured both as federation partner and as hosting provider; since the update of October 2013 for "
      "Lync Server 2013 the Access Edge minds.",
      topology, "Remove one of the two (Get-CsAllowedDomain, Get-CsHostingProvider).",
      "confusedamused.com, Lync Server 2013 cumulative update of October 2013"}},
    {14694,
     {"14694", "the Access Edge does not start",
      "Reported together with 12303 and 14397 for Lync Server 2013 Edges after the update of January 2014; its serial "
      "number is printed with its bytes in reverse order.",
      edge, "Look the certificate up by the serial number read backwards, and assign it again.",
      "public reports on Lync Server 2013, cumulative update of January 2014"}},
    {30968,
     {"30968", "stored procedure version mismatch", "The servers are patched and their database is not (OCS 2007 R2).",
      topology, "Run the database update of that cumulative update first.",
      "confusedamused.com, OCS 2007 R2 cumulative update 6"}},
    {30998,
     {"30998", "an HTTPS request failed",
      "Seen with 32042 where a certificate that is not self-signed stands among the trusted roots (Windows Server 2012 "
      "and later).",
      pki, "Move every certificate that is not self-signed out of Trusted Root (mrascheck check finds them).",
      "Microsoft KB 2795828"}},
    {32042,
     {"32042", "an invalid incoming HTTPS certificate",
      "Often a certificate that is not self-signed stands among the trusted roots (Windows Server 2012 and later).",
      pki, "Move every certificate that is not self-signed out of Trusted Root (mrascheck check finds them).",
      "Microsoft KB 2795828"}},
    {32263,
     {"32263", "an unknown user or endpoint", "The user or the endpoint is not known to this pool.", topology,
      "Check the user's home pool and the event's details.",
      "Microsoft Learn, Skype for Business troubleshooting: event 32263"}},
    {61029,
     {"61029", "a client certificate was rejected (0x800b0109)",
      "Its chain ends in a root that is not trusted, or a certificate that is not self-signed stands among the trusted "
      "roots.",
      pki, "Move every certificate that is not self-signed out of Trusted Root (mrascheck check finds them).",
      "Microsoft KB 2795828"}},
});

/// Those that come without a number, by how their text begins.
constexpr auto nameless_events = std::to_array<Explanation>({
    {"The A/V Authentication Service cannot be contacted", "The A/V Authentication Service cannot be contacted",
     "The server that reports this could not reach the A/V authentication service; the exception behind it says how.",
     edge,
     "Check from that server that port 5062 of the Edge's internal interface answers, then read the exception's text.",
     "Lync Server, text of the event (string tables of the product)"},
});

// MS-ERREF, 2.1: 0x8007274D is Winsock's 10061.
constexpr std::uint32_t facility_win32 = 0x8007;

// "10061(WSAECONNREFUSED)" and "0xC3E93C69(SIPPROXY_E_CONNECTION_FAILED)": the number in front.
template <class Number>
std::optional<Number> leading_number(std::string_view text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end == text.data()) return {};
  return number;
}

std::optional<std::uint32_t> hresult_of(const MsDiagnostics& diagnostics) {
  std::string_view text = trim(diagnostics.parameter("HRESULT"));
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  return leading_number<std::uint32_t>(text, 16);
}

// "edge1.contoso.example, port 5062: 10060 WSAETIMEDOUT"
std::string where_and_what(const MsDiagnostics& diagnostics, const Explanation& cause) {
  const std::string_view peer = diagnostics.parameter("Peer");
  const std::string_view port = diagnostics.parameter("Port");
  std::string text = printable(peer, 255);
  // Some servers write the port into Peer, too.
  if (!peer.empty() && !port.empty() && peer.find(':') == std::string_view::npos)
    text += ", port " + printable(port, 8);
  if (!text.empty()) text += ": ";
  return text + fmt::format("{} {}", cause.key, cause.name);
}

std::string explain_refused(const MsDiagnostics& diagnostics) {
  const std::string_view port = diagnostics.parameter("Port");
  return fmt::format(
      "The server that reports this reached {}, but nothing there accepted the connection on port {}: either the A/V "
      "authentication service does not listen, or the Edge probably refuses after a certificate problem. Check that "
      "the "
      "service runs and listens on the Edge's internal interface; if it does, look on both servers for Issuing CA "
      "certificates with the same name and different thumbprints, and remove those of which mrascheck cleanup says "
      "that "
      "they may go. Check whether the Edge's own trace shows any SERVICE at all: if it shows none, the connection ends "
      "before SIP, in TCP or TLS.",
      printable(diagnostics.parameter("Peer").empty() ? "the host of the Edge" : diagnostics.parameter("Peer"), 255),
      port.empty() ? "5062" : printable(port, 8));
}

std::string explain_connection_failed() {
  return "The connection from the Front End to the Edge failed (SIPPROXY_E_CONNECTION_FAILED). Check port 5062, DNS "
         "and "
         "the certificate chains of both sides first; where these are right, the patch levels probably differ too "
         "much. "
         "Compare the patch levels of Front End and Edge, and patch the Edge to the Front End's level.";
}

}  // namespace

const Explanation* explain_winsock(int code) {
  return find(winsock, code);
}

const Explanation* explain_errno(int error) {
  for (const auto& pair : errno_pairs) {
    if (pair.error == error) return explain_winsock(pair.winsock);
  }
  return nullptr;
}

const Explanation* explain_alert(std::uint8_t description) {
  return find(alerts, description);
}

const Explanation* explain_hresult(std::uint32_t code) {
  if (const auto* row = find(hresults, code)) return row;
  return code >> 16U == facility_win32 ? explain_winsock(static_cast<int>(code & 0xFFFFU)) : nullptr;
}

const Explanation* explain_diagnostics(unsigned id) {
  return find(diagnostics_ids, id);
}

const Explanation* explain_mras_reason(std::string_view reason) {
  for (const auto& row : mras_reasons) {
    if (equals_ignoring_case(row.key, trim(reason))) return &row;
  }
  return nullptr;
}

const Explanation* explain_verify_error(int error) {
  return find(verify_errors, error);
}

const Explanation* explain_relay_error(unsigned code) {
  return find(relay_errors, code);
}

const Explanation* explain_event(unsigned id) {
  return find(events, id);
}

std::string_view to_string(CodeKind kind) {
  switch (kind) {
    case CodeKind::winsock:
      return "Winsock error";
    case CodeKind::alert:
      return "TLS alert";
    case CodeKind::hresult:
      return "HRESULT";
    case CodeKind::diagnostics:
      return "ms-diagnostics";
    case CodeKind::mras_reason:
      return "MRAS reasonPhrase";
    case CodeKind::verify_error:
      return "OpenSSL verify error";
    case CodeKind::relay_error:
      return "error of the media relay";
    case CodeKind::event:
      return "event";
  }
  return "";
}

void each_explanation(const std::function<void(CodeKind, const Explanation&)>& visit) {
  const auto visit_all = [&visit](CodeKind kind, const auto& table) {
    for (const auto& row : table) visit(kind, row.text);
  };
  visit_all(CodeKind::diagnostics, diagnostics_ids);
  visit_all(CodeKind::hresult, hresults);
  for (const Explanation& row : nameless_hresults) visit(CodeKind::hresult, row);
  visit_all(CodeKind::winsock, winsock);
  visit_all(CodeKind::alert, alerts);
  visit_all(CodeKind::verify_error, verify_errors);
  visit_all(CodeKind::relay_error, relay_errors);
  visit_all(CodeKind::event, events);
  for (const Explanation& row : nameless_events) visit(CodeKind::event, row);
  for (const Explanation& row : mras_reasons) visit(CodeKind::mras_reason, row);
}

// Microsoft Learn, "Ms-Diagnostics Header".
std::string_view component_of(unsigned diagnostics_id) {
  struct Component {
    unsigned first;
    unsigned last;
    std::string_view whose;
  };
  constexpr auto ranges = std::to_array<Component>({{0, 999, "common to all components"},
                                                    {1000, 1999, "the SIP stack"},
                                                    {2000, 2999, "presence"},
                                                    {3000, 3999, "the conferencing focus"},
                                                    {4000, 4999, "user services"},
                                                    {5000, 5999, "API applications"},
                                                    {6000, 8999, "the conferencing servers"},
                                                    {9000, 9999, "MRAS"},
                                                    {10000, 10999, "the Mediation Server"},
                                                    {12000, 12999, "outbound voice routing"},
                                                    {13000, 13999, "inbound voice routing"},
                                                    {15000, 15999, "Exchange Unified Messaging"},
                                                    {16000, 16999, "the IM filter"},
                                                    {17000, 17999, "the client version filter"}});
  for (const auto& range : ranges) {
    if (diagnostics_id >= range.first && diagnostics_id <= range.last) return range.whose;
  }
  return {};
}

std::string explain(const MsDiagnostics& diagnostics) {
  auto socket_code = leading_number<int>(trim(diagnostics.parameter("WinsockFailureCode")), 10);
  const auto hresult_code = hresult_of(diagnostics);
  if (!socket_code && hresult_code && *hresult_code >> 16U == facility_win32) socket_code = *hresult_code & 0xFFFFU;
  if (diagnostics.id == 1038 && socket_code == 10061) return explain_refused(diagnostics);
  if (diagnostics.id == 2 && hresult_code == 0xC3E93C69U) return explain_connection_failed();

  const Explanation* id = explain_diagnostics(diagnostics.id);
  const Explanation* socket = socket_code ? explain_winsock(*socket_code) : nullptr;
  const Explanation* hresult = hresult_code ? explain_hresult(*hresult_code) : nullptr;
  const Explanation* cause = hresult != nullptr ? hresult : socket;

  std::string text;
  if (id != nullptr) {
    text = id->meaning;
  } else if (const auto reason = diagnostics.parameter("reason"); !reason.empty()) {
    text = fmt::format("The server said: {}.", trim(printable(reason)));
  } else if (const auto whose = component_of(diagnostics.id); !whose.empty()) {
    text = fmt::format("An error of {}, which has no explanation here.", whose);
  } else {
    text = "An error that has no explanation here.";
  }
  if (cause != nullptr) {
    if (text.ends_with('.')) text.pop_back();
    text += fmt::format(" ({}). {} {}", where_and_what(diagnostics, *cause), cause->meaning, cause->remedy);
  } else if (id != nullptr) {
    text += fmt::format(" {}", id->remedy);
  } else {
    text += " Read the trace of the server that sent it.";
  }
  return text;
}

}  // namespace mrascheck
