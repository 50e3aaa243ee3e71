// Wingmirror · Apache-2.0
// Alerts: RFC 8446 §6, RFC 5246 §7.2; the IANA registry "TLS Alerts".

/// What an alert says.
public enum TLSAlert {
    /// The level of alerts behind which nothing is sent.
    static let fatal: UInt8 = 2
    /// The description of the alert that ends a direction in order.
    static let closeNotify: UInt8 = 0
    /// The description of an alert that is no error, whatever its level says (RFC 8446 §6.1).
    static let userCanceled: UInt8 = 90

    /// The name of a description; `other` where it has none.
    public static func name(of description: UInt8) -> String {
        names[description] ?? "other"
    }

    private static let names: [UInt8: String] = [
        0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow",
        40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
        45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
        49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
        71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
        100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
        113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required",
        120: "no_application_protocol",
    ]
}
