// Wingmirror · Apache-2.0

/// The methods by which a client asks for nothing to be changed (RFC 9110 §9.2.1), as far as they are mirrored.
package enum SafeMethods {
    /// Whether a method is one of them.
    package static func contains(_ method: String) -> Bool { ["GET", "HEAD", "OPTIONS"].contains(method) }
}
