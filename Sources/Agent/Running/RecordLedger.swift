// Wingmirror · Apache-2.0

import Synchronization

/// What became of the records: each of them is written, lost for one reason, or still waits.
final class RecordLedger: Sendable {
    /// Why a record was not written.
    enum Loss: String, CaseIterable, Sendable {
        /// More came than could be written.
        case queueFull = "queue_full"
        /// The file could not be written: the disk was full, the reader had gone.
        case writeFailed = "write_failed"
        /// The agent ended before it was written.
        case shutdown
    }

    private let writtenCount = Atomic<UInt64>(0)
    private let fullCount = Atomic<UInt64>(0)
    private let failedCount = Atomic<UInt64>(0)
    private let shutdownCount = Atomic<UInt64>(0)
    private let trouble = Mutex<String?>(nil)

    /// Records that are in the file, or in the pipe.
    var written: UInt64 { writtenCount.load(ordering: .relaxed) }

    /// Records that were lost for a reason.
    func lost(_ loss: Loss) -> UInt64 {
        switch loss {
        case .queueFull: fullCount.load(ordering: .relaxed)
        case .writeFailed: failedCount.load(ordering: .relaxed)
        case .shutdown: shutdownCount.load(ordering: .relaxed)
        }
    }

    /// What was lost, and why, in words; `nil` without loss.
    var lossText: String? {
        let losses = Loss.allCases.map { ($0.rawValue, lost($0)) }.filter { $0.1 > 0 }
        guard !losses.isEmpty else { return nil }
        let total = losses.reduce(0) { $0 + $1.1 }
        let reasons = losses.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
        return "\(total) of \(total + written) records were not written (\(reasons))"
    }

    /// Why nothing can be written at present, in words; `nil` while all is well.
    var failure: String? {
        get { trouble.withLock { $0 } }
        set { trouble.withLock { $0 = newValue } }
    }

    /// The records in `lines` have reached the file.
    func wrote(_ lines: some Sequence<UInt8>) {
        writtenCount.add(Self.count(lines), ordering: .relaxed)
    }

    /// The records in `lines` are lost; takes no lock.
    func lose(_ lines: some Sequence<UInt8>, _ loss: Loss) {
        let count = Self.count(lines)
        switch loss {
        case .queueFull: fullCount.add(count, ordering: .relaxed)
        case .writeFailed: failedCount.add(count, ordering: .relaxed)
        case .shutdown: shutdownCount.add(count, ordering: .relaxed)
        }
    }

    private static func count(_ lines: some Sequence<UInt8>) -> UInt64 {
        lines.reduce(0) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    }
}
