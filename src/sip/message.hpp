// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mrascheck::sip {

inline constexpr std::size_t max_header_bytes = std::size_t{64} * 1024;  ///< start line to empty line, inclusive
inline constexpr std::size_t max_body_bytes = std::size_t{2} * 1024 * 1024;
inline constexpr std::size_t max_fields = 256;

struct Field {
  std::string name;   ///< as sent; a compact form written out ("v" is "Via", RFC 3261, 7.3.3)
  std::string value;  ///< unfolded (one SP for each fold), without blanks at both ends; never holds CR or LF
};

/// A SIP message of RFC 3261, its bytes as they came: nothing here is printable() yet.
struct Message {
  std::string method;  ///< empty in an answer
  std::string uri;
  std::string version = "SIP/2.0";  ///< of a request, as sent; answers in another one are not read
  unsigned status = 0;              ///< 100 to 699; 0 in a request
  std::string reason;               ///< may be empty
  std::vector<Field> fields;
  std::string body;
  /// Why a request is malformed whose end could be found all the same; empty when nothing was seen so far.
  std::string fault;

  bool is_request() const { return status == 0; }
  /// The first field of that name, in any case; nothing when there is none.
  std::optional<std::string_view> field(std::string_view name) const;
  /// Every field of that name, in order, undivided.
  std::vector<std::string_view> all(std::string_view name) const;
  /// Every element of every field of that name: "Via: a, b" and "Via: a" "Via: b" are the same (RFC 3261, 7.3.1).
  std::vector<std::string_view> list(std::string_view name) const;
};

/// Divides at commas outside of quoted strings and angle brackets; the elements are trimmed, empty ones left out.
std::vector<std::string_view> split_list(std::string_view value);

/// The value of ";name=value" behind an element such as a Via or a From; empty when it has none or is absent. The name
/// is compared in any case; what stands in quotes or angle brackets is skipped.
std::string_view parameter_of(std::string_view element, std::string_view name);

/// Where `c` first stands outside of quoted strings and angle brackets; npos when nowhere. An opening bracket itself
/// stands outside.
std::size_t find_outside_quotes(std::string_view text, char c);
/// Every quoted string in it ends.
bool quotes_are_closed(std::string_view text);
/// RFC 3261, 25.1: token.
bool is_token(std::string_view text);
/// Digits and nothing else; a number too large for the type is the largest of it.
std::optional<std::size_t> parse_digits(std::string_view text);

struct CSeq {
  std::uint32_t number = 0;
  std::string_view method;
};
/// RFC 3261, 20.16: the number is below 2^31.
std::optional<CSeq> parse_cseq(std::string_view value);

/// Takes SIP messages off a byte stream (RFC 3261, 18.3), whatever pieces it comes in: the outcome depends on the bytes
/// alone. Strict where a lenient reading would be a guess: lines end in CR LF, Content-Length is there and digits only.
/// What has been read of a body is wiped when the reader ends: MRAS bodies hold credentials.
class MessageReader {
 public:
  enum class Step {
    more,     ///< all bytes are used up and the message is not whole
    message,  ///< one is whole: take() it; `bytes` begins behind it
    broken,   ///< for good: problem() says why
  };

  MessageReader() = default;
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;
  ~MessageReader();

  /// Uses up `bytes` from the front. CR and LF between messages are skipped (RFC 3261, 7.5).
  Step read(std::string_view& bytes);
  Message take();

  /// Nothing of a message has come since the last one was whole.
  bool idle() const { return stage_ == Stage::idle; }
  /// Bytes that came since the first of the unfinished or broken message; keep-alives before it do not count.
  std::size_t pending_bytes() const { return pending_bytes_; }
  /// What is known of an unfinished or broken message, once its header is whole.
  const Message* pending() const { return header_whole_ ? &message_ : nullptr; }
  /// Whether what has come of a message could be the beginning of one.
  bool could_be_sip() const;
  /// What is missing of an unfinished message: "its body ends after 120 of 341 bytes (Content-Length)".
  std::string missing() const;
  const std::string& problem() const { return problem_; }
  bool saw_keep_alive() const { return saw_keep_alive_; }

 private:
  enum class Stage { idle, start_line, fields, body, whole, broken };

  Step fail(std::string problem);
  bool read_line();
  bool read_start_line(std::string_view line);
  bool read_status_line(std::string_view line);
  bool read_request_line(std::string_view line);
  bool read_field(std::string_view line);
  bool end_of_header();

  Stage stage_ = Stage::idle;
  std::string line_;
  std::size_t line_number_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t pending_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  bool header_whole_ = false;
  bool saw_keep_alive_ = false;
  Message message_;
  std::string problem_;
};

/// Overwrites what `text` holds, its spare capacity included, and empties it.
void wipe(std::string& text);

}  // namespace mrascheck::sip
