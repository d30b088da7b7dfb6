// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate_pair.hpp"

#include "x509/der.hpp"

namespace mrascheck::x509 {

using der::Element;
using der::Reader;
using der::Trouble;

static bool take_certificate(Reader& in, Trouble& trouble, unsigned number, Bytes& into) {
  Element outside;
  bool found = false;
  if (!in.take_optional(der::constructed(number), outside, found)) return false;
  if (!found) return true;
  Reader inside(outside.content, trouble);
  Element certificate;
  if (!inside.take(der::sequence, certificate, "not a certificate") || !inside.end("something behind a certificate"))
    return false;
  into = certificate.whole;
  return true;
}

Result<CertificatePair> read_certificate_pair(Bytes der) {
  CertificatePair pair;
  Trouble trouble(der);
  trouble.enter("certificate pair");
  Reader in(der, trouble);
  Element sequence;
  if (!in.take(der::sequence, sequence, "not a SEQUENCE") || !in.end("something behind it")) {
    return tl::unexpected(trouble.error());
  }
  Reader inside(sequence.content, trouble);
  if (!take_certificate(inside, trouble, 0, pair.forward) || !take_certificate(inside, trouble, 1, pair.reverse) ||
      !inside.end("not a part of it")) {
    return tl::unexpected(trouble.error());
  }
  if (pair.forward.empty() && pair.reverse.empty()) {
    trouble.at(sequence.whole, "neither certificate in it");
    return tl::unexpected(trouble.error());
  }
  return pair;
}

}  // namespace mrascheck::x509
