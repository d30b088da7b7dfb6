// SPDX-License-Identifier: Apache-2.0
// The ldap room against a server that says what slapd never would: Active Directory's own ways, and no good ones.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <stop_token>

#include "ldap/directory.hpp"
#include "support/ldap_responder.hpp"

namespace mrascheck::ldap {
namespace {

using namespace std::chrono_literals;
using test::LdapResponder;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;
using Request = LdapResponder::Request;
using Reply = LdapResponder::Reply;

static constexpr const char* services = "CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=example";
static const std::string issuing_ca = fmt::format("CN=Issuing CA,CN=AIA,{}", services);

/// Answers for the rootDSE as a domain controller does, and leaves the rest to `rest`.
static LdapResponder::Script domain_controller(LdapResponder::Script rest) {
  return [rest = std::move(rest)](const Request& request) -> Reply {
    if (request.operation != 0x63 || !request.base.empty()) return rest(request);
    return {LdapResponder::entry(request.id, "",
                                 {{"configurationNamingContext", {"CN=Configuration,DC=contoso,DC=example"}}}) +
            LdapResponder::search_done(request.id)};
  };
}

/// One entry of AIA with these attributes.
static LdapResponder::Script one_entry(const std::vector<LdapResponder::Attribute>& attributes,
                                       const std::string& dn = issuing_ca) {
  return domain_controller([=](const Request& request) -> Reply {
    return {LdapResponder::entry(request.id, dn, attributes) + LdapResponder::search_done(request.id)};
  });
}

struct Reading {
  Result<DirectoryAnswer> answer = fail(ErrorKind::bug, "not read");
  std::vector<std::pair<std::size_t, std::string>> values;  ///< index and bytes
  std::vector<std::string> dns;
  std::vector<DirectoryValue::Content> contents;
  std::string error() const { return answer ? "" : answer.error().text; }
  ErrorKind kind() const { return answer ? ErrorKind::bug : answer.error().kind; }
};

static Reading read(const StoreSource& source, std::chrono::milliseconds step = 20s, const Deadline& deadline = {},
                    const std::string& password = "x") {
  Reading reading;
  const auto take = [&](const DirectoryValue& value) {
    reading.values.emplace_back(value.index, as_text(value.value));
    reading.dns.emplace_back(value.dn);
    reading.contents.push_back(value.content);
  };
  const auto start_anew = [&] {
    reading.values.clear();
    reading.dns.clear();
    reading.contents.clear();
  };
  reading.answer = read_directory(source, Secret{password}, step, deadline, {take, start_anew});
  return reading;
}

static StoreSource source(std::vector<std::string> uris) {
  StoreSource store;
  store.ldap_uris = std::move(uris);
  return store;
}

struct Spelling {
  const char* name;
  const char* attribute;
};
class SpellingTest : public testing::TestWithParam<Spelling> {};

TEST_P(SpellingTest, IsTheSameAttribute) {
  const LdapResponder server{one_entry({{"objectClass", {"top"}}, {GetParam().attribute, {"one", "two"}}})};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, ElementsAre(std::pair{0U, "one"}, std::pair{1U, "two"}));
}

INSTANTIATE_TEST_SUITE_P(CaCertificate, SpellingTest,
                         testing::Values(Spelling{"ActiveDirectory", "cACertificate"},
                                         Spelling{"Rfc4523", "cACertificate;binary"},
                                         Spelling{"AnyCase", "CACERTIFICATE;BINARY"},
                                         Spelling{"AllInOneRange", "cACertificate;range=0-*"}),
                         [](const auto& row) { return row.param.name; });

TEST(ResponderTest, ItIsAskedFromTheAddressThatIsConfigured) {
  const LdapResponder server{one_entry({{"cACertificate", {"one"}}})};
  const auto ask_from = [&](const std::vector<std::string>& sources) {
    return read_directory(source({server.uri()}), Secret{""}, 20s, {}, {[](const DirectoryValue&) {}, [] {}},
                          {.addresses = {}, .sources = sources});
  };
  ASSERT_TRUE(ask_from({}));
  EXPECT_EQ(server.peer(), 0x7F000001U);
  ASSERT_TRUE(ask_from({"::1", "127.0.0.9"}));
  EXPECT_EQ(server.peer(), 0x7F000009U);
  const auto elsewhere = ask_from({"192.0.2.1"});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().kind, ErrorKind::local);
  EXPECT_EQ(elsewhere.error().text, server.uri() + ": not from 192.0.2.1: cannot assign requested address");
}

TEST(ResponderTest, ARootDseIsAskedWithoutAnyControlAndTheRestInPages) {
  std::mutex mutex;
  std::vector<std::pair<std::string, bool>> asked;
  const auto script = one_entry({});
  const LdapResponder server{[&](const Request& request) {
    const std::lock_guard lock{mutex};
    asked.emplace_back(request.base, request.paged);
    return script(request);
  }};
  ASSERT_TRUE(read(source({server.uri()})).answer);
  EXPECT_THAT(asked, ElementsAre(std::pair{"", false}, std::pair{services, true}));
}

/// [MS-ADTS] 3.1.1.3.1.3.3: the attribute itself comes empty, its values in slices.
TEST(ResponderTest, ALargeAttributeIsReadToItsEndInSlices) {
  std::mutex mutex;
  std::vector<std::string> asked;
  const LdapResponder server{domain_controller([&](const Request& request) -> Reply {
    const std::lock_guard lock{mutex};
    const std::string& attribute = request.attributes.at(0);
    asked.push_back(attribute);
    LdapResponder::Attribute slice;
    if (attribute == "cACertificate") slice = {"cACertificate;range=0-2", {"a", "b", "c"}};
    if (attribute == "cACertificate;range=3-*") slice = {"cACertificate;range=3-4", {"d", "e"}};
    if (attribute == "cACertificate;range=5-*") slice = {"cACertificate;binary;range=5-*", {"f"}};
    const std::string dn = request.base == services ? issuing_ca : request.base;
    return {LdapResponder::entry(request.id, dn, {{"cACertificate", {}}, slice}) +
            (request.base == services
                 ? LdapResponder::entry(request.id, fmt::format("CN=Certification Authorities,{}", services), {})
                 : std::string{}) +
            LdapResponder::search_done(request.id)};
  })};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(asked, ElementsAre("cACertificate", "cACertificate;range=3-*", "cACertificate;range=5-*"));
  EXPECT_THAT(reading.values, ElementsAre(std::pair{0U, "a"}, std::pair{1U, "b"}, std::pair{2U, "c"},
                                          std::pair{3U, "d"}, std::pair{4U, "e"}, std::pair{5U, "f"}));
  EXPECT_EQ(reading.answer->truncated, "");
}

struct BadSlice {
  const char* name;
  const char* attribute;  ///< of what is answered to range=3-*; none when null
  int code;
  const char* reason;
};
class BadSliceTest : public testing::TestWithParam<BadSlice> {};

TEST_P(BadSliceTest, EndsTheEntryAndIsRemarked) {
  const LdapResponder server{domain_controller([](const Request& request) -> Reply {
    if (request.base == services) {
      return {LdapResponder::entry(request.id, issuing_ca, {{"cACertificate;range=0-2", {"a", "b", "c"}}}) +
              LdapResponder::search_done(request.id)};
    }
    std::vector<LdapResponder::Attribute> attributes;
    if (GetParam().attribute != nullptr) attributes.push_back({GetParam().attribute, {"x"}});
    const std::string entry =
        GetParam().code == 0 ? LdapResponder::entry(request.id, request.base, attributes) : std::string{};
    return {entry + LdapResponder::search_done(request.id, GetParam().code)};
  })};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, SizeIs(3));
  EXPECT_THAT(reading.answer->truncated, AllOf(StartsWith(issuing_ca + ": its values from the 4th on were not given"),
                                               EndsWith(GetParam().reason)));
}

INSTANTIATE_TEST_SUITE_P(Range, BadSliceTest,
                         testing::Values(BadSlice{"Again", "cACertificate;range=0-2", 0, "not given"},
                                         BadSlice{"Gap", "cACertificate;range=7-*", 0, "not given"},
                                         BadSlice{"Whole", "cACertificate", 0, "not given"},
                                         BadSlice{"Ignored", nullptr, 0, "not given"},
                                         BadSlice{"Gone", nullptr, 32, "No such object (32)"}),
                         [](const auto& row) { return row.param.name; });

TEST(ResponderTest, AValueTooLargeIsLeftOutAndRemarked) {
  const LdapResponder server{one_entry({{"cACertificate", {"small", std::string(300'000, 'x'), ""}}})};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, ElementsAre(std::pair{0U, "small"}, std::pair{2U, ""}));
  EXPECT_THAT(reading.answer->remarks, Contains(AllOf(StartsWith(issuing_ca), HasSubstr("value 2 has 300000 bytes"))));
  EXPECT_THAT(reading.answer->truncated, HasSubstr("value 2 has 300000 bytes"));
}

TEST(ResponderTest, AForeignDnIsMadeSafeToShow) {
  const LdapResponder server{one_entry({{"cACertificate", {"a"}}}, fmt::format("CN=\x1b[2J,CN=aia,{}", services))};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.dns, ElementsAre(fmt::format("CN=\\1B[2J,CN=aia,{}", services)));
}

struct Neighbour {
  const char* name;
  const char* dn;
  StoreKind kind;
};
class NeighbourTest : public testing::TestWithParam<Neighbour> {};

/// Behind an entry of AIA, so that what was learnt from that one is tried on the next.
TEST_P(NeighbourTest, IsFoundInItsOwnContainer) {
  const LdapResponder server{domain_controller([](const Request& request) -> Reply {
    return {
        LdapResponder::entry(request.id, issuing_ca, {}) +
        LdapResponder::entry(request.id, fmt::format("{},{}", GetParam().dn, services), {{"cACertificate", {"a"}}}) +
        LdapResponder::search_done(request.id)};
  })};
  std::vector<StoreKind> kinds;
  const auto answer =
      read_directory(source({server.uri()}), Secret{}, 20s, {},
                     {[&](const DirectoryValue& value) { kinds.push_back(value.kind); }, [&] { kinds.clear(); }});
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_THAT(kinds, ElementsAre(GetParam().kind));
}

INSTANTIATE_TEST_SUITE_P(
    OfAia, NeighbourTest,
    testing::Values(Neighbour{"SameParent", "CN=Other CA,CN=AIA", StoreKind::intermediate},
                    Neighbour{"OtherCase", "cn=other ca,cn=aia", StoreKind::intermediate},
                    Neighbour{"Deeper", "CN=Other CA,CN=Sub,CN=AIA", StoreKind::intermediate},
                    Neighbour{"TwoValues", "CN=Other CA+OU=x,CN=AIA", StoreKind::intermediate},
                    Neighbour{"EscapedComma", "CN=Other\\, CA,CN=AIA", StoreKind::intermediate},
                    Neighbour{"AiaInTheName", "CN=Other\\,CN\\=AIA,CN=Certification Authorities", StoreKind::root},
                    Neighbour{"OtherContainer", "CN=Issuing CA,CN=Enrollment Services", StoreKind::enrollment},
                    Neighbour{"TheContainerItself", "CN=NTAuthCertificates", StoreKind::ntauth}),
    [](const auto& row) { return row.param.name; });

TEST(ResponderTest, ADnThatCannotBeParsedBelongsToNoContainer) {
  const LdapResponder server{one_entry({{"cACertificate", {"a"}}}, "nonsense")};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, SizeIs(0));
  EXPECT_THAT(reading.answer->remarks, Contains(HasSubstr("the first one in nonsense")));
}

TEST(ResponderTest, PagesGoOnUntilTheCookieIsEmpty) {
  std::atomic<int> page = 0;
  const LdapResponder server{domain_controller([&](const Request& request) -> Reply {
    const int number = page++;
    return {
        LdapResponder::entry(request.id, fmt::format("CN={},CN=AIA,{}", number, services), {{"cACertificate", {"a"}}}) +
        LdapResponder::search_done(request.id, 0, "", number == 2 ? "" : "more")};
  })};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, SizeIs(3));
}

TEST(ResponderTest, PagesWithoutEndAndWithoutValuesAreCut) {
  const LdapResponder server{domain_controller([](const Request& request) -> Reply {
    return {LdapResponder::entry(request.id, issuing_ca, {}) + LdapResponder::search_done(request.id, 0, "", "more")};
  })};
  StoreSource store = source({server.uri()});
  store.size_limit = 10;
  const Reading reading = read(store);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_NE(reading.answer->truncated, "");
}

TEST(ResponderTest, AnonymousIsRefusedTheWayActiveDirectoryDoes) {
  const std::string words =
      "000004DC: LdapErr: DSID-0C0907E9, comment: In order to perform this operation a successful bind "
      "must be completed on the connection., data 0, v2580";
  const LdapResponder server{domain_controller(
      [&](const Request& request) -> Reply { return {LdapResponder::search_done(request.id, 1, words)}; })};
  const Reading reading = read(source({server.uri()}));
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_peer);
  EXPECT_EQ(reading.error(),
            fmt::format("{}: {}: refused without a bind: {}: Operations error (1)", server.uri(), services, words));
}

struct Logon {
  const char* name;
  const char* data;
  const char* reason;
};
class LogonTest : public testing::TestWithParam<Logon> {};

TEST_P(LogonTest, IsPutIntoWords) {
  const std::string words = fmt::format(
      "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {}, "
      "v2580",
      GetParam().data);
  const LdapResponder server{
      [&](const Request& request) -> Reply { return {LdapResponder::bind_done(request.id, 49, words)}; },
      LdapResponder::Listen::local};
  StoreSource store = source({server.uri()});
  store.bind = LdapBind{.dn = "cn=reader", .password = {}};
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_peer);
  EXPECT_EQ(reading.error(), fmt::format("{}: bind as cn=reader{}: {}: Invalid credentials (49)", server.uri(),
                                         GetParam().reason, words));
}

INSTANTIATE_TEST_SUITE_P(Failure, LogonTest,
                         testing::Values(Logon{"Password", "52e", ": wrong password"},
                                         Logon{"Locked", "775", ": the account is locked out"},
                                         Logon{"Unknown", "fff", ""}),
                         [](const auto& row) { return row.param.name; });

TEST(ResponderTest, APasswordIsNotSentToAServerThatRefusesStartTls) {
  const LdapResponder server{[](const Request& request) -> Reply {
    return {LdapResponder::extended_done(request.id, 2, "unsupported extended operation")};
  }};
  StoreSource store = source({server.uri()});
  store.bind = LdapBind{.dn = "cn=reader", .password = {}};
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::rejected_by_peer);
  EXPECT_EQ(reading.error(), server.uri() + ": StartTLS refused: unsupported extended operation: Protocol error (2)");
  EXPECT_EQ(server.requests(), 1);
}

TEST(ResponderTest, WhatIsSaidInClearTextBehindStartTlsIsNeverHeard) {
  const LdapResponder server{[](const Request& request) -> Reply {
    return {LdapResponder::extended_done(request.id, 0, "") + LdapResponder::bind_done(request.id + 1, 0, ""), true};
  }};
  StoreSource store = source({server.uri()});
  store.starttls = StartTls::required;
  store.verify_server = false;
  const Reading reading = read(store);
  EXPECT_EQ(reading.kind(), ErrorKind::unreachable);
  EXPECT_THAT(reading.error(), StartsWith(server.uri() + ": TLS handshake: "));
}

TEST(ResponderTest, ABaseHeldElsewhereIsNotFollowed) {
  const LdapResponder server{domain_controller([](const Request& request) -> Reply {
    return {LdapResponder::referral_done(request.id, "ldap://root.contoso.example/")};
  })};
  const Reading reading = read(source({server.uri()}));
  EXPECT_EQ(reading.kind(), ErrorKind::config);
  EXPECT_THAT(reading.error(), AllOf(HasSubstr("held by ldap://root.contoso.example/, which is not followed"),
                                     EndsWith("Referral (10)")));
  EXPECT_EQ(server.connections(), 1);
}

struct Limit {
  const char* name;
  int code;
};
class LimitTest : public testing::TestWithParam<Limit> {};

TEST_P(LimitTest, KeepsWhatCame) {
  const LdapResponder server{domain_controller([](const Request& request) -> Reply {
    return {LdapResponder::entry(request.id, issuing_ca, {{"cACertificate", {"a"}}}) +
            LdapResponder::search_done(request.id, GetParam().code)};
  })};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, SizeIs(1));
  EXPECT_THAT(reading.answer->truncated, AllOf(HasSubstr("the server stopped after 1 certificate: "),
                                               EndsWith(fmt::format("({})", GetParam().code))));
}

INSTANTIATE_TEST_SUITE_P(Server, LimitTest,
                         testing::Values(Limit{"Time", 3}, Limit{"Size", 4}, Limit{"Administrative", 11}),
                         [](const auto& row) { return row.param.name; });

TEST(ResponderTest, AConnectionClosedBeforeTheFirstValueIsTheNextServersTurn) {
  const LdapResponder closing{[](const Request&) -> Reply { return {"", true}; }};
  const LdapResponder good{one_entry({{"cACertificate", {"a"}}})};
  const Reading reading = read(source({closing.uri(), good.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->server, good.uri());
  EXPECT_THAT(reading.answer->remarks.front(), HasSubstr("the connection was closed"));
}

/// Gives one certificate, and then no more.
static LdapResponder::Script closing_in_the_middle() {
  return domain_controller([](const Request& request) -> Reply {
    return {LdapResponder::entry(request.id, issuing_ca, {{"cACertificate", {"half"}}}), true};
  });
}

TEST(ResponderTest, AConnectionClosedInTheMiddleIsAnErrorNotHalfAnAnswer) {
  const LdapResponder closing{closing_in_the_middle()};
  const Reading reading = read(source({closing.uri()}));
  EXPECT_EQ(reading.kind(), ErrorKind::unreachable);
  EXPECT_EQ(reading.error(), closing.uri() +
                                 ": after 1 certificate: waiting for an answer: the connection was closed: "
                                 "Can't contact LDAP server (-1)");
  EXPECT_THAT(reading.values, SizeIs(0));
}

TEST(ResponderTest, TheNextServerIsAskedFromTheBeginningWhenOneIsLostInTheMiddle) {
  const LdapResponder closing{closing_in_the_middle()};
  const LdapResponder good{one_entry({{"cACertificate", {"one", "two"}}})};
  const Reading reading = read(source({closing.uri(), good.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_EQ(reading.answer->server, good.uri());
  EXPECT_THAT(reading.values, ElementsAre(std::pair{0U, "one"}, std::pair{1U, "two"}));
  EXPECT_EQ(reading.answer->remarks.front(),
            fmt::format("{}: after 1 certificate: waiting for an answer: the connection was closed: Can't contact LDAP "
                        "server (-1); {} answered",
                        closing.uri(), good.uri()));
}

TEST(ResponderTest, ASilenceInTheMiddleIsTheNextServersTurnToo) {
  const LdapResponder silent{domain_controller([](const Request& request) -> Reply {
    return {LdapResponder::entry(request.id, issuing_ca, {{"cACertificate", {"half"}}})};
  })};
  const LdapResponder good{one_entry({{"cACertificate", {"whole"}}})};
  const Reading reading = read(source({silent.uri(), good.uri()}), 300ms);
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, ElementsAre(std::pair{0U, "whole"}));
}

TEST(ResponderTest, WhatStandsWhereThereIsNoRevocationListYetIsPassedOver) {
  const LdapResponder server{one_entry({{"cACertificate", {"a"}},
                                        {"certificateRevocationList", {std::string(1, '\0')}},
                                        {"authorityRevocationList", {"", "list"}},
                                        {"deltaRevocationList;binary", {"delta"}}})};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values, ElementsAre(std::pair{0U, "a"}, std::pair{0U, "list"}, std::pair{1U, "delta"}));
  using Content = DirectoryValue::Content;
  EXPECT_THAT(reading.contents, ElementsAre(Content::certificate, Content::crl, Content::crl));
}

TEST(ResponderTest, EachLargeAttributeOfAnEntryIsReadToItsOwnEnd) {
  const LdapResponder server{domain_controller([&](const Request& request) -> Reply {
    const std::string& attribute = request.attributes.at(0);
    std::vector<LdapResponder::Attribute> slices;
    if (request.base == services)
      slices = {{"cACertificate;range=0-0", {"a"}}, {"crossCertificatePair;range=0-0", {"p"}}};
    if (attribute == "cACertificate;range=1-*") slices = {{attribute, {"b"}}, {"crossCertificatePair", {"stray"}}};
    if (attribute == "crossCertificatePair;range=1-*") slices = {{attribute, {"q"}}};
    const std::string dn = request.base == services ? issuing_ca : request.base;
    return {LdapResponder::entry(request.id, dn, slices) + LdapResponder::search_done(request.id)};
  })};
  const Reading reading = read(source({server.uri()}));
  ASSERT_TRUE(reading.answer) << reading.error();
  EXPECT_THAT(reading.values,
              ElementsAre(std::pair{0U, "a"}, std::pair{0U, "p"}, std::pair{1U, "b"}, std::pair{1U, "q"}));
}

TEST(ResponderTest, SilenceInTheMiddleOfAMessageEndsAfterTheStep) {
  const LdapResponder server{domain_controller([](const Request& request) -> Reply {
    const std::string entry = LdapResponder::entry(request.id, issuing_ca, {{"cACertificate", {"a"}}});
    return {entry + entry.substr(0, entry.size() / 2)};
  })};
  const Reading reading = read(source({server.uri()}), 300ms);
  EXPECT_EQ(reading.kind(), ErrorKind::timed_out);
  EXPECT_THAT(reading.error(), AllOf(StartsWith(server.uri() + ": after 1 certificate: "),
                                     HasSubstr("no answer within 300 ms"), EndsWith("Timed out (-5)")));
}

TEST(ResponderTest, AStopIsNoticedWhileWaiting) {
  std::stop_source stop;
  const LdapResponder server{[&](const Request&) -> Reply {
    stop.request_stop();
    return {};
  }};
  const auto begun = Deadline::Clock::now();
  const Reading reading = read(source({server.uri(), server.uri()}), 60s, Deadline{.stop = stop.get_token()});
  EXPECT_EQ(reading.kind(), ErrorKind::timed_out);
  EXPECT_THAT(reading.error(), HasSubstr("stopped"));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_LT(Deadline::Clock::now() - begun, 30s);
}

struct Nonsense {
  const char* name;
  std::string bytes;
};
class NonsenseAnswerTest : public testing::TestWithParam<Nonsense> {};

TEST_P(NonsenseAnswerTest, IsAnError) {
  const LdapResponder server{[](const Request&) -> Reply { return {GetParam().bytes, true}; }};
  const Reading reading = read(source({server.uri()}));
  ASSERT_FALSE(reading.answer);
  EXPECT_THAT(reading.error(), StartsWith(server.uri() + ": "));
}

INSTANTIATE_TEST_SUITE_P(
    Bytes, NonsenseAnswerTest,
    testing::Values(Nonsense{"Http", "HTTP/1.1 400 Bad Request\r\n\r\n"},
                    Nonsense{"HugeLength", std::string{"\x30\x84\x7f\xff\xff\xff", 6}},
                    Nonsense{"LongestLength", std::string{"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10}},
                    Nonsense{"Indefinite", std::string{"\x30\x80\x02\x01\x01", 5}},
                    Nonsense{"Zeros", std::string(64, '\0')},
                    Nonsense{"EntryOfNothing", std::string{"\x30\x05\x02\x01\x01\x64\x00", 7}},
                    Nonsense{"DoneOfNothing", std::string{"\x30\x05\x02\x01\x01\x65\x00", 7}},
                    Nonsense{"EntryCutShort", std::string{"\x30\x09\x02\x01\x01\x64\x04\x04\x09\x43\x4e", 11}},
                    Nonsense{"Nothing", ""}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mrascheck::ldap
