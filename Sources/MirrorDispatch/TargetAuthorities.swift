// Wingmirror · Apache-2.0

import NIOSSL

/// The certificate authorities that vouch for a target, as they come from its file.
package enum TargetAuthorities {
    /// Why the content of a file cannot be used; `nil` where it can.
    package static func refusal(of content: [UInt8]) -> String? {
        let certificates = try? NIOSSLCertificate.fromPEMBytes(content)
        return certificates?.isEmpty == false ? nil : "no certificates in PEM form are in it"
    }
}
