// Wingmirror · Apache-2.0

public import JSONSyntax

/// Bounds on what reading or writing a recording holds at a time; whatever meets one is counted.
public struct RecordingLimits: Sendable, Hashable {
    /// Octets of one record.
    ///
    /// GoReplay copies at most 5 MB of a message by default; base64 makes the 16 MiB of content that records may have a
    /// third longer, twice.
    public var recordOctets = 64 << 20
    /// JSON values of one record, which take many times its octets where they are small.
    ///
    /// A head of 64 KiB has 16,000 field lines at most, and each of them no more than eight values.
    public var recordValues = 1 << 20
    /// Octets of the line in front of a `.gor` record; GoReplay's own have fewer than 100.
    public var metadataOctets = 1024
    /// Octets that may be read in vain to find the end of messages whose framing is wrong.
    ///
    /// Beyond it the first separator ends a record, so that a hostile file costs no more than a long one.
    public var searchedOctets = 256 << 20
    /// Responses that wait for a request that comes later in the recording.
    public var waitingResponses = 10_000
    /// Entries that wait for their place in a HAR or .gor file, which are ordered by time.
    public var waitingEntries = 4096
    /// Octets of the entries that wait.
    public var waitingOctets = 64 << 20

    /// Makes the default limits.
    public init() {}
}

extension RecordingLimits {
    /// What the JSON of one record may need.
    public var document: DocumentLimits {
        var limits = DocumentLimits()
        limits.values = recordValues
        return limits
    }
}
