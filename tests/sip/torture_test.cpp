// SPDX-License-Identifier: Apache-2.0
// The torture messages of RFC 4475 as they come down a stream: answers, requests without a dialog, and of the others
// those whose fault lies in their start line or header. Each with the verdict that the RFC gives; where it leaves a
// choice, the strict one of the two.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

#include "answers.hpp"
#include "sip/message.hpp"
#include "sip/peer_request.hpp"
#include "sip/service_transaction.hpp"

namespace mrascheck::sip {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using State = ServiceTransaction::State;

/// The session description that most of them carry, 150 bytes for an address of nine.
std::string session_of(std::string_view address, std::string_view time = "0") {
  const std::string host(address);
  return "v=0\r\no=mhandley 29739 7272939 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host +
         "\r\nt=" + std::string(time) +
         " 0\r\nm=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n";
}

/// The lines of a message as the RFC prints them, each with its CR LF.
std::string on_the_wire(std::string_view printed) {
  std::string bytes;
  for (const char c : printed) {
    if (c == '\n') bytes += '\r';
    bytes += c;
  }
  return bytes;
}

struct RequestCase {
  const char* name;
  const char* section;
  std::string message;  ///< header as printed, without the empty line
  std::string body;
  std::string_view answered;  ///< start line of our answer; empty when none can be given
};
void PrintTo(const RequestCase& c, std::ostream* out) {
  *out << "RFC 4475, " << c.section << ", " << c.name;
}

class TortureRequest : public testing::TestWithParam<RequestCase> {};

TEST_P(TortureRequest, GetsTheAnswerThatTheRfcGives) {
  const RequestCase& c = GetParam();
  const std::string bytes = on_the_wire(c.message + "\n") + c.body;
  for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{7}}) {
    ServiceTransaction transaction(test::sample_request());
    std::string output;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      EXPECT_EQ(transaction.feed(std::string_view(bytes).substr(at, piece)), State::waiting);
      output += transaction.take_output();
    }
    EXPECT_EQ(output.substr(0, output.find("\r\n")), c.answered);
    // The connection stands: our own answer is found behind it.
    EXPECT_EQ(transaction.feed(test::good_answer(transaction.request())), State::answered);
    EXPECT_EQ(transaction.exchange().problem, "");
    EXPECT_EQ(transaction.exchange().strangers, 1U);
  }
}

constexpr std::string_view fine = "SIP/2.0 200 OK";
constexpr std::string_view no_method = "SIP/2.0 405 Method Not Allowed";
constexpr std::string_view blanks = "SIP/2.0 400 Bad Request (the request line has blanks where none belong)";

INSTANTIATE_TEST_SUITE_P(
    Rfc4475, TortureRequest,
    testing::Values(
        RequestCase{"intmeth", "3.1.1.2",
                    "!interesting-Method0123456789_*+`.%indeed'~ "
                    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
                    "@example.com SIP/2.0\n"
                    "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\n"
                    "To: \"BEL:\\\x07 NUL:\\\0 DEL:\\\x7F\" "
                    "<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\n"
                    "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>"
                    ";fromParam''~+*_!.-%=\"\u0440\u0430\u0431\u043E\u0442\u0430\u044E\u0449\u0438\u0439\""
                    ";tag=_token~1'+`*%!-.\n"
                    "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\n"
                    "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\n"
                    "Max-Forwards: 255\n"
                    "extensionHeader-!.%*+_`'~:\uFEFF\u5927\u505C\u96FB\n"
                    "Content-Length: 0\n"s,
                    "", no_method},
        RequestCase{"escnull", "3.1.1.4",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "To: sip:null-%00-null@example.com\n"
                    "From: sip:null-%00-null@example.com;tag=839923423\n"
                    "Max-Forwards: 70\n"
                    "Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\n"
                    "CSeq: 14398234 REGISTER\n"
                    "Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\n"
                    "Contact: <sip:%00@host5.example.com>\n"
                    "Contact: <sip:%00%00@host5.example.com>\n"
                    "L:0\n",
                    "", no_method},
        RequestCase{"esc02", "3.1.1.5",
                    "RE%47IST%45R sip:registrar.example.com SIP/2.0\n"
                    "To: \"%Z%45\" <sip:resource@example.com>\n"
                    "From: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\n"
                    "Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\n"
                    "Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234\n"
                    "CSeq: 29344 RE%47IST%45R\n"
                    "Max-Forwards: 70\n"
                    "Contact: <sip:alias1@host1.example.com>\n"
                    "C%6Fntact: <sip:alias2@host2.example.com>\n"
                    "Contact: <sip:alias3@host3.example.com>\n"
                    "l: 0\n",
                    "", no_method},
        RequestCase{"lwsdisp", "3.1.1.6",
                    "OPTIONS sip:user@example.com SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: caller<sip:caller@example.com>;tag=323\n"
                    "Max-Forwards: 70\n"
                    "Call-ID: lwsdisp.1234abcd@funky.example.com\n"
                    "CSeq: 60 OPTIONS\n"
                    "Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw\n"
                    "l: 0\n",
                    "", fine},
        RequestCase{"semiuri", "3.1.1.9",
                    "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\n"
                    "To: sip:j_user@example.com\n"
                    "From: sip:caller@example.org;tag=33242\n"
                    "Max-Forwards: 3\n"
                    "Call-ID: semiuri.0ha0isndaksdj\n"
                    "CSeq: 8 OPTIONS\n"
                    "Accept: application/sdp, application/pkcs7-mime,\n"
                    "        multipart/mixed, multipart/signed,\n"
                    "        message/sip, message/sipfrag\n"
                    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw\n"
                    "l: 0\n",
                    "", fine},
        RequestCase{"transports", "3.1.1.10",
                    "OPTIONS sip:user@example.com SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: <sip:caller@example.com>;tag=323\n"
                    "Max-Forwards: 70\n"
                    "Call-ID:  transports.kijh4akdnaqjkwendsasfdj\n"
                    "Accept: application/sdp\n"
                    "CSeq: 60 OPTIONS\n"
                    "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw\n"
                    "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\n"
                    "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\n"
                    "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\n"
                    "Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee\n"
                    "l: 0\n",
                    "", fine},
        RequestCase{"badinv01", "3.1.2.1",
                    "INVITE sip:user@example.com SIP/2.0\n"
                    "To: sip:j.user@example.com\n"
                    "From: sip:caller@example.net;tag=134161461246\n"
                    "Max-Forwards: 7\n"
                    "Call-ID: badinv01.0ha0isndaksdjasdf3234nas\n"
                    "CSeq: 8 INVITE\n"
                    "Via: SIP/2.0/UDP 192.0.2.15;;,;,,\n"
                    "Contact: \"Joe\" <sip:joe@example.org>;;;;\n"
                    "Content-Length: 152\n"
                    "Content-Type: application/sdp\n",
                    session_of("192.0.2.15"), "SIP/2.0 400 Bad Request (Via has a parameter without a name)"},
        RequestCase{"scalar02", "3.1.2.4",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3\n"
                    "To: <sip:user@example.com>\n"
                    "From: <sip:user@example.com>;tag=239232jh3\n"
                    "CSeq: 36893488147419103232 REGISTER\n"
                    "Call-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\n"
                    "Max-Forwards: 300\n"
                    "Expires: 1" +
                        std::string(100, '0') +
                        "\n"
                        "Contact: <sip:user@host129.example.com>\n"
                        "  ;expires=280297596632815\n"
                        "Content-Length: 0\n",
                    "", "SIP/2.0 400 Bad Request (CSeq is no number below 2^31 and a method)"},
        RequestCase{"quotbal", "3.1.2.6",
                    "INVITE sip:user@example.com SIP/2.0\n"
                    "To: \"Mr. J. User <sip:j.user@example.com>\n"
                    "From: sip:caller@example.net;tag=93334\n"
                    "Max-Forwards: 10\n"
                    "Call-ID: quotbal.aksdj\n"
                    "Contact: <sip:caller@host59.example.net>\n"
                    "CSeq: 8 INVITE\n"
                    "Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234\n"
                    "Content-Type: application/sdp\n"
                    "Content-Length: 152\n",
                    session_of("192.0.2.15"), "SIP/2.0 400 Bad Request (To has a quote that does not end)"},
        RequestCase{"ltgtruri", "3.1.2.7",
                    "INVITE <sip:user@example.com> SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:caller@example.net;tag=39291\n"
                    "Max-Forwards: 23\n"
                    "Call-ID: ltgtruri.1@192.0.2.5\n"
                    "CSeq: 1 INVITE\n"
                    "Via: SIP/2.0/UDP 192.0.2.5\n"
                    "Contact: <sip:caller@host5.example.net>\n"
                    "Content-Type: application/sdp\n"
                    "Content-Length: 159\n",
                    session_of("192.0.2.5", "3149328700"),
                    "SIP/2.0 400 Bad Request (the Request-URI stands in brackets or quotes)"},
        RequestCase{"lwsruri", "3.1.2.8",
                    "INVITE sip:user@example.com; lr SIP/2.0\n"
                    "To: sip:user@example.com;tag=3xfe-9921883-z9f\n"
                    "From: sip:caller@example.net;tag=231413434\n"
                    "Max-Forwards: 5\n"
                    "Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423\n"
                    "CSeq: 2130706432 INVITE\n"
                    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395\n"
                    "Contact: <sip:caller@host1.example.net>\n"
                    "Content-Type: application/sdp\n"
                    "Content-Length: 159\n",
                    session_of("192.0.2.1", "3149328700"), blanks},
        RequestCase{"lwsstart", "3.1.2.9",
                    "INVITE  sip:user@example.com  SIP/2.0\n"
                    "Max-Forwards: 8\n"
                    "To: sip:user@example.com\n"
                    "From: sip:caller@example.net;tag=8814\n"
                    "Call-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com\n"
                    "CSeq: 1893884 INVITE\n"
                    "Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923\n"
                    "Contact: <sip:caller@host1.example.net>\n"
                    "Content-Type: application/sdp\n"
                    "Content-Length: 150\n",
                    session_of("192.0.2.1"), blanks},
        RequestCase{"trws", "3.1.2.10",
                    "OPTIONS sip:remote-target@example.com SIP/2.0  \n"
                    "Via: SIP/2.0/TCP host1.examle.com;branch=z9hG4bK299342093\n"
                    "To: <sip:remote-target@example.com>\n"
                    "From: <sip:local-resource@example.com>;tag=329429089\n"
                    "Call-ID: trws.oicu34958239neffasdhr2345r\n"
                    "Accept: application/sdp\n"
                    "CSeq: 238923 OPTIONS\n"
                    "Max-Forwards: 70\n"
                    "Content-Length: 0\n",
                    "", blanks},
        RequestCase{"escruri", "3.1.2.11",
                    "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:caller@example.net;tag=341518\n"
                    "Max-Forwards: 7\n"
                    "Contact: <sip:caller@host39923.example.net>\n"
                    "Call-ID: escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5\n"
                    "CSeq: 149209342 INVITE\n"
                    "Via: SIP/2.0/UDP host-of-the-hour.example.com;branch=z9hG4bKkdjuw\n"
                    "Content-Type: application/sdp\n"
                    "Content-Length: 150\n",
                    session_of("192.0.2.1"), "SIP/2.0 400 Bad Request (the Request-URI holds header fields)"},
        RequestCase{"regbadct", "3.1.2.13",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:user@example.com;tag=998332\n"
                    "Max-Forwards: 70\n"
                    "Call-ID: regbadct.k345asrl3fdbv@10.0.0.1\n"
                    "CSeq: 1 REGISTER\n"
                    "Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw\n"
                    "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\n"
                    "l: 0\n",
                    "", "SIP/2.0 400 Bad Request (Contact holds a URI that needs angle brackets)"},
        RequestCase{"badaspec", "3.1.2.14",
                    "OPTIONS sip:user@example.org SIP/2.0\n"
                    "Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234\n"
                    "Max-Forwards: 70\n"
                    "From: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423\n"
                    "To: \"Watson, Thomas\" < sip:t.watson@example.org >\n"
                    "Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3\n"
                    "Accept: application/sdp\n"
                    "CSeq: 3923239 OPTIONS\n"
                    "l: 0\n",
                    "", "SIP/2.0 400 Bad Request (To has blanks in its URI)"},
        RequestCase{"baddn", "3.1.2.15",
                    "OPTIONS sip:t.watson@example.org SIP/2.0\n"
                    "Via:     SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw\n"
                    "Max-Forwards:      70\n"
                    "From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43\n"
                    "To:      Watson, Thomas <sip:t.watson@example.org>\n"
                    "Call-ID: baddn.31415@c.example.com\n"
                    "Accept: application/sdp\n"
                    "CSeq:    3923239 OPTIONS\n"
                    "l: 0\n",
                    "", "SIP/2.0 400 Bad Request (From has a display name that needs quotes)"},
        RequestCase{"badvers", "3.1.2.16",
                    "OPTIONS sip:t.watson@example.org SIP/7.0\n"
                    "Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw\n"
                    "Max-Forwards:     70\n"
                    "From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\n"
                    "To:      T. Watson <sip:t.watson@example.org>\n"
                    "Call-ID: badvers.31417@c.example.com\n"
                    "CSeq:    1 OPTIONS\n"
                    "l: 0\n",
                    "", "SIP/2.0 505 Version Not Supported"},
        RequestCase{"mismatch01", "3.1.2.17",
                    "OPTIONS sip:user@example.com SIP/2.0\n"
                    "To: sip:j.user@example.com\n"
                    "From: sip:caller@example.net;tag=34525\n"
                    "Max-Forwards: 6\n"
                    "Call-ID: mismatch01.dj0234sxdfl3\n"
                    "CSeq: 8 INVITE\n"
                    "Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw\n"
                    "l: 0\n",
                    "", "SIP/2.0 400 Bad Request (CSeq is of another method)"},
        RequestCase{"mismatch02", "3.1.2.18",
                    "NEWMETHOD sip:user@example.com SIP/2.0\n"
                    "To: sip:j.user@example.com\n"
                    "From: sip:caller@example.net;tag=34525\n"
                    "Max-Forwards: 6\n"
                    "Call-ID: mismatch02.dj0234sxdfl3\n"
                    "CSeq: 8 INVITE\n"
                    "Contact: <sip:caller@host.example.net>\n"
                    "Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw\n"
                    "Content-Type: application/sdp\n"
                    "l: 138\n",
                    on_the_wire("v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\n"
                                "m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n"),
                    "SIP/2.0 400 Bad Request (CSeq is of another method)"},
        RequestCase{"badbranch", "3.2.1",
                    "OPTIONS sip:user@example.com SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:caller@example.org;tag=33242\n"
                    "Max-Forwards: 3\n"
                    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\n"
                    "Accept: application/sdp\n"
                    "Call-ID: badbranch.sadonfo23i420jv0as0derf3j3n\n"
                    "CSeq: 8 OPTIONS\n"
                    "l: 0\n",
                    "", fine},
        RequestCase{"insuf", "3.3.1",
                    "INVITE sip:user@example.com SIP/2.0\n"
                    "CSeq: 193942 INVITE\n"
                    "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\n"
                    "Content-Type: application/sdp\n"
                    "l: 152\n",
                    session_of("192.0.2.95"), "SIP/2.0 400 Bad Request (From is missing)"},
        RequestCase{"unkscm", "3.3.2",
                    "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:caller@example.net;tag=384\n"
                    "Max-Forwards: 3\n"
                    "Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34\n"
                    "CSeq: 3923423 OPTIONS\n"
                    "Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\n"
                    "Content-Length: 0\n",
                    "", "SIP/2.0 416 Unsupported URI Scheme"},
        RequestCase{"novelsc", "3.3.3",
                    "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:caller@example.net;tag=384\n"
                    "Max-Forwards: 3\n"
                    "Call-ID: novelsc.asdfasser0q239nwsdfasdkl34\n"
                    "CSeq: 3923423 OPTIONS\n"
                    "Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\n"
                    "Content-Length: 0\n",
                    "", "SIP/2.0 416 Unsupported URI Scheme"},
        RequestCase{"unksm2", "3.3.4",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "To: isbn:2983792873\n"
                    "From: <http://www.example.com>;tag=3234233\n"
                    "Call-ID: unksm2.daksdj@hyphenated-host.example.com\n"
                    "CSeq: 234902 REGISTER\n"
                    "Max-Forwards: 70\n"
                    "Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw\n"
                    "Contact: <name:John_Smith>\n"
                    "l: 0\n",
                    "", no_method},
        RequestCase{"bext01", "3.3.5",
                    "OPTIONS sip:user@example.com SIP/2.0\n"
                    "To: sip:j_user@example.com\n"
                    "From: sip:caller@example.net;tag=242etr\n"
                    "Max-Forwards: 6\n"
                    "Call-ID: bext01.0ha0isndaksdj\n"
                    "Require: nothingSupportsThis, nothingSupportsThisEither\n"
                    "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\n"
                    "CSeq: 8 OPTIONS\n"
                    "Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw\n"
                    "Content-Length: 0\n",
                    "", "SIP/2.0 420 Bad Extension"},
        RequestCase{"regaut01", "3.3.7",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "To: sip:j.user@example.com\n"
                    "From: sip:j.user@example.com;tag=87321hj23128\n"
                    "Max-Forwards: 8\n"
                    "Call-ID: regaut01.0ha0isndaksdj\n"
                    "CSeq: 9338 REGISTER\n"
                    "Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw\n"
                    "Authorization: NoOneKnowsThisScheme opaque-data=here\n"
                    "Content-Length:0\n",
                    "", no_method},
        RequestCase{"multi01", "3.3.8",
                    "INVITE sip:user@company.com SIP/2.0\n"
                    "Contact: <sip:caller@host25.example.net>\n"
                    "Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw\n"
                    "Max-Forwards: 70\n"
                    "CSeq: 5 INVITE\n"
                    "Call-ID: multi01.98asdh@192.0.2.1\n"
                    "CSeq: 59 INVITE\n"
                    "Call-ID: multi01.98asdh@192.0.2.2\n"
                    "From: sip:caller@example.com;tag=3413415\n"
                    "To: sip:user@example.com\n"
                    "To: sip:other@example.net\n"
                    "From: sip:caller@example.net;tag=2923420123\n"
                    "Content-Type: application/sdp\n"
                    "l: 152\n"  // the RFC's session is of another address and has two bytes more
                    "Contact: <sip:caller@host36.example.net>\n"
                    "Max-Forwards: 5\n",
                    session_of("192.0.2.25"),
                    "SIP/2.0 400 Bad Request (Call-ID stands 2 times in it, with different values)"},
        RequestCase{"zeromf", "3.3.11",
                    "OPTIONS sip:user@example.com SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:caller@example.net;tag=3ghsd41\n"
                    "Call-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas\n"
                    "CSeq: 39234321 OPTIONS\n"
                    "Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i\n"
                    "Max-Forwards: 0\n"
                    "Content-Length: 0\n",
                    "", fine},
        RequestCase{"cparam01", "3.3.12",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw\n"
                    "Max-Forwards: 70\n"
                    "From: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe\n"
                    "To: sip:watson@example.com\n"
                    "Call-ID: cparam01.70710@saturn.example.com\n"
                    "CSeq: 2 REGISTER\n"
                    "Contact: sip:+19725552222@gw1.example.net;unknownparam\n"
                    "l: 0\n",
                    "", no_method},
        RequestCase{"cparam02", "3.3.13",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw\n"
                    "Max-Forwards: 70\n"
                    "From: sip:watson@example.com;tag=838293\n"
                    "To: sip:watson@example.com\n"
                    "Call-ID: cparam02.70710@saturn.example.com\n"
                    "CSeq: 3 REGISTER\n"
                    "Contact: <sip:+19725552222@gw1.example.net;unknownparam>\n"
                    "l: 0\n",
                    "", no_method},
        RequestCase{"regescrt", "3.3.14",
                    "REGISTER sip:example.com SIP/2.0\n"
                    "To: sip:user@example.com\n"
                    "From: sip:user@example.com;tag=8\n"
                    "Max-Forwards: 70\n"
                    "Call-ID: regescrt.k345asrl3fdbv@192.0.2.1\n"
                    "CSeq: 14398234 REGISTER\n"
                    "Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\n"
                    "M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\n"
                    "L:0\n",
                    "", no_method}),
    [](const auto& row) { return row.param.name; });

TEST(Torture, ExtensionsThatAreRequiredAreListed) {  // RFC 4475, 3.3.5
  Message request;
  request.method = "OPTIONS";
  request.uri = "sip:user@example.com";
  request.fields = {{"Via", "SIP/2.0/TLS a;branch=z9hG4bK1"},
                    {"From", "sip:a@b;tag=1"},
                    {"To", "sip:c@d"},
                    {"Call-ID", "1"},
                    {"CSeq", "8 OPTIONS"},
                    {"Require", "nothingSupportsThis, nothingSupportsThisEither"}};
  EXPECT_THAT(answer_to_request(request, "t"),
              HasSubstr("\r\nUnsupported: nothingSupportsThis, nothingSupportsThisEither\r\n"));
}

// RFC 4475, 3.1.1.8: what follows a request on a stream is the next message, and not part of it.
TEST(Torture, ASecondRequestBehindTheFirstIsOneOfItsOwn) {
  ServiceTransaction transaction(test::sample_request());
  transaction.feed(on_the_wire("REGISTER sip:example.com SIP/2.0\n"
                               "To: sip:j.user@example.com\n"
                               "From: sip:j.user@example.com;tag=43251j3j324\n"
                               "Max-Forwards: 8\n"
                               "I: dblreq.0ha0isndaksdj99sdfafnl3lk233412\n"
                               "Contact: sip:j.user@host.example.com\n"
                               "CSeq: 8 REGISTER\n"
                               "Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492\n"
                               "Content-Length: 0\n"
                               "\n\n"
                               "INVITE sip:joe@example.com SIP/2.0\n"
                               "t: sip:joe@example.com\n"
                               "From: sip:caller@example.net;tag=141334\n"
                               "Max-Forwards: 8\n"
                               "Call-ID: dblreq.0ha0isnda977644900765@192.0.2.15\n"
                               "CSeq: 8 INVITE\n"
                               "Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234\n"
                               "Content-Type: application/sdp\n"
                               "Content-Length: 152\n"
                               "\n") +
                   session_of("192.0.2.15"));
  const std::string output = transaction.take_output();
  EXPECT_THAT(output, HasSubstr("CSeq: 8 REGISTER\r\n"));
  EXPECT_THAT(output, HasSubstr("CSeq: 8 INVITE\r\n"));
  EXPECT_EQ(transaction.exchange().strangers, 2U);
}

/// What is no message with an end: nothing behind it on the stream can be found.
struct FramingCase {
  const char* name;
  const char* section;
  std::string_view length;
  MessageReader::Step step;
  std::string_view problem;
};
class TortureFraming : public testing::TestWithParam<FramingCase> {};

TEST_P(TortureFraming, EndsTheStreamOrWaits) {
  const std::string bytes = on_the_wire(
                                "INVITE sip:user@example.com SIP/2.0\n"
                                "Max-Forwards: 254\n"
                                "To: sip:j.user@example.com\n"
                                "From: sip:caller@example.net;tag=32394234\n"
                                "Call-ID: ncl.0ha0isndaksdj2193423r542w35\n"
                                "CSeq: 0 INVITE\n"
                                "Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw\n"
                                "Contact: <sip:caller@example53.example.net>\n"
                                "Content-Type: application/sdp\n" +
                                std::string(GetParam().length) + "\n") +
                            session_of("192.0.2.53");
  MessageReader reader;
  std::string_view left = bytes;
  EXPECT_EQ(reader.read(left), GetParam().step);
  EXPECT_THAT(reader.problem().empty() ? reader.missing() : reader.problem(),
              HasSubstr(std::string(GetParam().problem)));
}
INSTANTIATE_TEST_SUITE_P(
    Rfc4475, TortureFraming,
    testing::Values(FramingCase{"clerr", "3.1.2.2", "Content-Length: 9999\n", MessageReader::Step::more,
                                "its body ends after 152 of 9999 bytes"},
                    FramingCase{"ncl", "3.1.2.3", "Content-Length: -999\n", MessageReader::Step::broken,
                                "Content-Length is \"-999\", no number"},
                    FramingCase{"mcl01", "3.3.9", "Content-Length: 13\nContent-Length: 5\n",
                                MessageReader::Step::broken, "Content-Length stands 2 times in one header"},
                    FramingCase{"inv2543", "3.4", "", MessageReader::Step::broken, "framing: no Content-Length"}),
    [](const auto& row) { return row.param.name; });

/// An answer as printed, but for what makes it ours: topmost Via, Call-ID and CSeq.
std::string made_ours(const std::string& request, std::string_view status, std::string_view rest,
                      const std::string& body = {}) {
  std::string text = "SIP/2.0 " + std::string(status) + "\r\n";
  for (const char* name : {"Via", "Call-ID", "CSeq"})
    text += std::string(name) + ": " + test::field_of(request, name) + "\r\n";
  return text + on_the_wire(rest) + "\r\n" + body;
}

TEST(TortureAnswer, Unreason) {  // 3.1.1.12: any UTF-8 is a reason
  ServiceTransaction transaction(test::sample_request());
  const std::string reason =
      "= 2**3 * 5**2 \u043D\u043E \u0441\u0442\u043E \u0434\u0435\u0432\u044F\u043D\u043E\u0441"
      "\u0442\u043E \u0434\u0435\u0432\u044F\u0442\u044C - \u043F\u0440\u043E\u0441\u0442\u043E"
      "\u0435";
  const std::string answer =
      made_ours(transaction.request(), "200 " + reason,
                "From: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\nContent-Length: 154\n"
                "Content-Type: application/sdp\nContact: <sip:user@host198.example.com>\n",
                session_of("192.0.2.198"));
  EXPECT_EQ(transaction.feed(answer), State::answered);
  EXPECT_EQ(transaction.exchange().sip_status, 200U);
  EXPECT_EQ(transaction.exchange().sip_reason, reason);
  MessageReader reader;
  std::string_view bytes = answer;
  ASSERT_EQ(reader.read(bytes), MessageReader::Step::message);
  EXPECT_EQ(reader.take().reason, reason);
}

TEST(TortureAnswer, Noreason) {  // 3.1.1.13: a reason may be empty
  ServiceTransaction transaction(test::sample_request());
  const std::string rest =
      "From: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\n"
      "Contact: <sip:user@host105.example.com>\n";
  EXPECT_EQ(transaction.feed(made_ours(transaction.request(), "100 ", rest)), State::waiting);
  EXPECT_EQ(transaction.exchange().provisional, 1U);
}

TEST(TortureAnswer, Scalarlg) {  // 3.1.2.5: an answer to no request of anybody's, dropped; the stream goes on
  ServiceTransaction transaction(test::sample_request());
  EXPECT_EQ(transaction.feed(
                on_the_wire("SIP/2.0 503 Service Unavailable\n"
                            "Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129\n"
                            "To: <sip:user@example.com>\n"
                            "From: <sip:other@example.net>;tag=2easdjfejw\n"
                            "CSeq: 9292394834772304023312 OPTIONS\n"
                            "Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r\n"
                            "Retry-After: 949302838503028349304023988\n"
                            "Warning: 1812 overture \"In Progress\"\n"
                            "Content-Length: 0\n\n")),
            State::waiting);
  EXPECT_EQ(transaction.feed(test::good_answer(transaction.request())), State::answered);
  EXPECT_EQ(transaction.exchange().strangers, 1U);
  // With our own Call-ID and branch, too: the number is not cut down to ours.
  ServiceTransaction again(test::sample_request());
  std::string answer = test::answer_to(again.request(), "503 Service Unavailable");
  answer.replace(answer.find("CSeq: 1 "), 8, "CSeq: 18446744073709551617 ");
  EXPECT_EQ(again.feed(answer), State::waiting);
}

TEST(TortureAnswer, Bigcode) {  // 3.1.2.19: not cast into a status; what would be 5 of 32 bits is none
  ServiceTransaction transaction(test::sample_request());
  const std::string answer = made_ours(
      transaction.request(), "4294967301 better not break the receiver",
      "From: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\n"
      "Contact: <sip:user@host105.example.com>\n");
  EXPECT_EQ(transaction.feed(answer), State::broken);
  EXPECT_EQ(transaction.exchange().sip_status, 0U);
  EXPECT_FALSE(transaction.exchange().answered);
  EXPECT_EQ(transaction.exchange().problem,
            "no SIP status between 100 and 699: \"SIP/2.0 4294967301 better not break the receiver\"");
}

TEST(TortureAnswer, Bcast) {  // 3.3.10: topmost Via of ours, a broadcast address below: ours, and nothing is sent there
  ServiceTransaction transaction(test::sample_request());
  const std::string request = transaction.request();
  const auto answer = [&](std::string_view vias) {
    return "SIP/2.0 200 OK\r\n" + std::string(vias) + "Call-ID: " + test::field_of(request, "Call-ID") +
           "\r\nCSeq: 1 SERVICE\r\n" +
           on_the_wire(
               "From: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\n"
               "Content-Length: 154\nContent-Type: application/sdp\n"
               "Contact: <sip:user@host28.example.com>\n\n") +
           session_of("192.0.2.198");
  };
  const std::string ours = "Via: " + test::field_of(request, "Via") + "\r\n";
  const std::string broadcast = "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n";
  EXPECT_EQ(transaction.feed(answer(broadcast + ours)), State::waiting);
  EXPECT_EQ(transaction.feed(answer(ours + broadcast)), State::answered);
  EXPECT_EQ(transaction.take_output(), "");
}

}  // namespace
}  // namespace mrascheck::sip
