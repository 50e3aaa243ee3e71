// Wingmirror · Apache-2.0

/// The methods by which a client asks for nothing to be changed (RFC 9110 §9.2.1), as far as they are mirrored.
enum SafeMethods {
    static func contains(_ method: String) -> Bool { ["GET", "HEAD", "OPTIONS"].contains(method) }
}
