// Wingmirror · Apache-2.0

/// Takes exchange records, in batches of whole lines.
///
/// The octets are there for the call only. It is called from the capture thread: it must not wait, unless the source of packets can
/// wait for it.
public typealias RecordOutput = @Sendable (_ lines: Span<UInt8>) -> Void
