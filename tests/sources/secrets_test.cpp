// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sources/descriptor.hpp"
#include "sources/sources.hpp"
#include "support/temp_dir.hpp"

namespace mrascheck::sources {

using test::TempDir;
using Kind = SecretSource::Kind;

static std::string revealed(const SecretSource& source) {
  const Result<Secret> secret = read_secret(source);
  return secret ? std::string{secret->reveal()} : "error: " + secret.error().text;
}

struct Ending {
  const char* name;
  std::string_view content;
  std::string_view secret;
};
class EndingTest : public testing::TestWithParam<Ending> {};
TEST_P(EndingTest, OneNewlineIsDropped) {
  const TempDir dir;
  const std::string path = dir.write("secret", GetParam().content);
  EXPECT_EQ(revealed({Kind::file, path}), GetParam().secret);
}
INSTANTIATE_TEST_SUITE_P(Secret, EndingTest,
                         testing::Values(Ending{"None", "hunter2", "hunter2"}, Ending{"Unix", "hunter2\n", "hunter2"},
                                         Ending{"Windows", "hunter2\r\n", "hunter2"},
                                         Ending{"OnlyOne", "hunter2\n\n", "hunter2\n"},
                                         Ending{"BlanksStay", " hunter2 \n", " hunter2 "},
                                         Ending{"LoneReturnStays", "hunter2\r", "hunter2\r"}),
                         [](const auto& row) { return row.param.name; });

TEST(SecretsTest, ComesFromTheEnvironment) {
  ASSERT_EQ(::setenv("MRASCHECK_TEST_SECRET", "hunter2", 1), 0);
  EXPECT_EQ(revealed({Kind::env, "MRASCHECK_TEST_SECRET"}), "hunter2");
  ASSERT_EQ(::setenv("MRASCHECK_TEST_SECRET", "", 1), 0);
  EXPECT_EQ(revealed({Kind::env, "MRASCHECK_TEST_SECRET"}), "error: env:MRASCHECK_TEST_SECRET: empty");
  ASSERT_EQ(::unsetenv("MRASCHECK_TEST_SECRET"), 0);
  EXPECT_EQ(revealed({Kind::env, "MRASCHECK_TEST_SECRET"}),
            "error: env:MRASCHECK_TEST_SECRET: no such environment variable");
}

TEST(SecretsTest, ComesFromAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Descriptor reading{ends[0]};
  {
    const Descriptor writing{ends[1]};
    ASSERT_EQ(::write(writing.number(), "hunter2\n", 8), 8);
  }
  const std::string number = std::to_string(reading.number());
  EXPECT_EQ(revealed({Kind::fd, number}), "hunter2");
  EXPECT_EQ(revealed({Kind::fd, number}), "hunter2") << "a pipe gives it once, and it is asked for twice";
}

TEST(SecretsTest, DoesNotWaitForAPipeForEver) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Descriptor reading{ends[0]};
  const Descriptor writing{ends[1]};
  const std::string number = std::to_string(reading.number());
  EXPECT_EQ(revealed({Kind::fd, number}), "error: fd:" + number + ": nothing came within 5 s");
}

TEST(SecretsTest, ComesFromAnOpenFileAgainAndAgain) {
  const TempDir dir;
  const Descriptor file{::open(dir.write("secret", "hunter2\n").c_str(), O_RDONLY | O_CLOEXEC)};
  const std::string number = std::to_string(file.number());
  EXPECT_EQ(revealed({Kind::fd, number}), "hunter2");
  EXPECT_EQ(revealed({Kind::fd, number}), "hunter2");
}

TEST(SecretsTest, RefusesWhatIsNoDescriptor) {
  EXPECT_EQ(revealed({Kind::fd, "three"}), "error: fd:three: not the number of a file descriptor");
  EXPECT_EQ(revealed({Kind::fd, "-1"}), "error: fd:-1: not the number of a file descriptor");
  EXPECT_EQ(revealed({Kind::fd, "3x"}), "error: fd:3x: not the number of a file descriptor");
  EXPECT_EQ(revealed({Kind::fd, "999999"}), "error: fd:999999: Bad file descriptor");
}

TEST(SecretsTest, RefusesATerminal) {
  const Descriptor terminal{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  if (!terminal.open()) GTEST_SKIP() << "no pseudo terminals here";
  const std::string number = std::to_string(terminal.number());
  EXPECT_EQ(revealed({Kind::fd, number}), "error: fd:" + number + ": a terminal, and nothing is asked for there");
}

TEST(SecretsTest, IsBoundedAndNeverShown) {
  const TempDir dir;
  const std::string path = dir.write("secret", std::string(64 * 1024 + 1, 'x'));
  EXPECT_EQ(revealed({Kind::file, path}), "error: file:" + path + ": larger than 65536 bytes");
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  const std::string number = std::to_string(file.number());
  EXPECT_EQ(revealed({Kind::fd, number}), "error: fd:" + number + ": larger than 65536 bytes");
}

TEST(SecretsTest, IsAFaultOfTheConfiguration) {
  const TempDir dir;
  const Result<Secret> missing = read_secret({Kind::file, dir / "none"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), (Error{ErrorKind::config, "file:" + (dir / "none") + ": No such file or directory"}));
  const Result<Secret> empty = read_secret({Kind::file, dir.write("empty", "\n")});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error(), (Error{ErrorKind::config, "file:" + (dir / "empty") + ": empty"}));
}

// read_file

TEST(FilesTest, AreReadWhole) {
  const TempDir dir;
  const std::string content("a\0b\n", 4);
  const Result<ByteString> read = read_file(dir.write("f", content));
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(*read), content);
  EXPECT_EQ(read_file(dir.write("empty", ""))->size(), 0U);
  EXPECT_GT(read_file("/proc/self/status")->size(), 0U);  // fstat says 0
}

TEST(FilesTest, AreRefusedWithTheReason) {
  const TempDir dir;
  const auto reason = [](const std::string& path, std::size_t limit = 100) {
    const Result<ByteString> read = read_file(path, limit);
    if (read) return std::string{"none"};
    EXPECT_EQ(read.error().kind, ErrorKind::local);
    return read.error().text;
  };
  EXPECT_EQ(reason(dir / "none"), (dir / "none") + ": No such file or directory");
  EXPECT_EQ(reason(dir.path().string()), dir.path().string() + ": a directory, not a file");
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(reason(dir / "pipe"), (dir / "pipe") + ": a pipe, not a file");
  EXPECT_EQ(reason("/dev/zero"), "/dev/zero: a device, not a file");
  EXPECT_EQ(reason(dir.write("fits", std::string(100, 'x'))), "none");
  EXPECT_EQ(reason(dir.write("large", std::string(101, 'x'))), (dir / "large") + ": larger than 100 bytes");
  EXPECT_EQ(reason("/proc/self/status", 10), "/proc/self/status: larger than 10 bytes");
  EXPECT_EQ(reason(dir / "fits/below"), (dir / "fits/below") + ": Not a directory");
  EXPECT_EQ(reason("a\x1b"
                   "b"),
            "a?b: No such file or directory");
  EXPECT_EQ(reason(std::string("/dev/null\0x", 11)), "/dev/null?x: a path with a NUL in it");
  if (::geteuid() != 0) {
    ASSERT_EQ(::chmod((dir / "fits").c_str(), 0), 0);
    EXPECT_EQ(reason(dir / "fits"), (dir / "fits") + ": Permission denied");
  }
}

}  // namespace mrascheck::sources
