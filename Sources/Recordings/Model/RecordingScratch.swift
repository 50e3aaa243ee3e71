// Wingmirror · Apache-2.0

/// A place outside memory for the exchanges of a recording, such as a temporary file.
public protocol RecordingScratch: Sendable {
    /// Puts octets at an offset from the beginning.
    ///
    /// - Returns: Why they could not all be put there; `nil` when they are there.
    func write(_ octets: [UInt8], at offset: Int) -> String?

    /// So many octets from an offset on; `nil` where they cannot be read.
    func octets(at offset: Int, count: Int) -> [UInt8]?
}
