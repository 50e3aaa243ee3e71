// Wingmirror · Apache-2.0

import AgentConfiguration
import Glibc
import Logging

/// Writes the records of a queue to their file, pipe or standard output, on a thread of its own.
///
/// Only whole lines stay in a file, and each record is counted as written or as lost. When a write fails it is tried again
/// every second, with the records that wait meanwhile; a pipe whose reader has gone waits for the next. The file is opened
/// anew when it was renamed, when somebody asks for it, and after a rotation of its own.
struct RecordWriter: ~Copyable {
    /// How long what waits may take to be written once the queue is closed.
    private static let closingTime: Duration = .seconds(2)
    /// How long to wait before a failed write is tried again.
    private static let retryTime: Duration = .seconds(1)
    /// How long to wait before a rotation that failed is tried again.
    private static let rotationRetryTime: Duration = .seconds(60)

    private let queue: RecordQueue
    private let path: String
    private let rotation: RecordsConfiguration.Rotation
    private let logger: Logger

    private var sink: RecordSink?
    private var openedAt = ContinuousClock.now
    private var lookedAt = ContinuousClock.now
    private var closedAt: ContinuousClock.Instant?
    private var nextAttempt = ContinuousClock.now
    private var nextRotation = ContinuousClock.now
    /// Whether the reader of standard output has gone, which is its right: nothing is written any more.
    private(set) var isUnwanted = false

    private var batch: [UInt8] = []
    /// How many octets of the batch are written.
    private var position = 0
    /// How many octets of the batch are written as whole lines, and counted.
    private var counted = 0

    /// Makes a writer that has opened nothing yet.
    init(_ queue: RecordQueue, path: String, rotation: RecordsConfiguration.Rotation, logger: Logger) {
        self.queue = queue
        self.path = path
        self.rotation = rotation
        self.logger = logger
    }

    /// Opens the file for the first time.
    ///
    /// - Throws: Why it cannot be opened; a pipe may wait for its reader.
    mutating func open() throws(CommandFailure) {
        do throws(RecordSink.Trouble) {
            sink = try RecordSink.open(path)
        } catch {
            guard case .failed(let reason) = error else { return failed(Self.text(error)) }
            throw CommandFailure(.failed, "records: \(path): \(reason)")
        }
    }

    /// Writes until the queue is closed and empty, or has been closed for as long as it may take.
    mutating func run() {
        while true {
            let isLast = queue.isClosed
            if isLast, hasClosingTimePassed { return abandon() }
            if position == batch.count, !takeNext() {
                if isLast { return }
                queue.wait()
                lookAfterFile()
                continue
            }
            if position == counted { lookAfterFile() }
            writeSome()
        }
    }

    private mutating func takeNext() -> Bool {
        guard let next = queue.next() else { return false }
        batch = next
        position = 0
        counted = 0
        return true
    }

    private var hasClosingTimePassed: Bool {
        mutating get {
            let first = closedAt ?? .now
            closedAt = first
            return .now - first > Self.closingTime
        }
    }

    // MARK: - Writing

    private mutating func writeSome() {
        guard !isUnwanted else { return loseBatch(.writeFailed) }
        guard .now >= nextAttempt else {
            usleep(100_000)
            return
        }
        do throws(RecordSink.Trouble) {
            if sink == nil {
                sink = try RecordSink.open(path)
                openedAt = .now
            }
            position += try sink?.write(batch[position...]) ?? 0
            count()
            // A full disk takes a few octets of each attempt, and nothing is well by that.
            if position == batch.count { recovered() }
        } catch .busy {
            // The reader is slow: what comes meanwhile waits in the queue.
        } catch .noReader where path == "-" {
            isUnwanted = true
            failed(Self.text(.noReader))
        } catch {
            takeBackPartialLine()
            if case .noReader = error { sink = nil }
            failed(Self.text(error))
        }
    }

    /// Takes back what was written of a line, so that it is written again as a whole; where that cannot be, it is finished later.
    private mutating func takeBackPartialLine() {
        guard position > counted else { return }
        let isGone = sink?.takeBack(position - counted) ?? true
        let isFinishedLater = !isGone && (sink?.finishesPartialLines ?? false)
        if !isFinishedLater { position = counted }
    }

    private mutating func count() {
        guard let end = batch[counted..<position].lastIndex(of: UInt8(ascii: "\n")) else { return }
        queue.ledger.wrote(batch[counted...end])
        counted = end + 1
    }

    private mutating func failed(_ reason: String) {
        nextAttempt = .now + Self.retryTime
        if queue.ledger.failure == nil {
            logger.error(
                isUnwanted ? "records are wanted no more" : "records cannot be written, trying again",
                metadata: ["file": "\(path)", "reason": "\(reason)"]
            )
        }
        queue.canWrite(unless: reason)
    }

    private func recovered() {
        guard queue.ledger.failure != nil else { return }
        queue.canWrite(unless: nil)
        logger.notice("records are written again", metadata: ["file": "\(path)"])
    }

    private mutating func loseBatch(_ loss: RecordLedger.Loss) {
        queue.ledger.lose(batch[counted...], loss)
        position = batch.count
        counted = batch.count
    }

    /// Counts everything that waits as lost, and leaves no part of a line behind.
    private mutating func abandon() {
        if position > counted { _ = sink?.takeBack(position - counted) }
        let loss: RecordLedger.Loss = queue.ledger.failure == nil ? .shutdown : .writeFailed
        loseBatch(loss)
        while let next = queue.next() { queue.ledger.lose(next, loss) }
    }

    // MARK: - The file

    /// Between two lines: takes up a file that was renamed, and rotates one that is full or old.
    private mutating func lookAfterFile() {
        if queue.takeReopening() { reopen() }
        if let size = sink?.size, rotation.isDue(size: size, age: .now - openedAt), .now >= nextRotation {
            return rotate()
        }
        guard .now - lookedAt >= .seconds(1) else { return }
        lookedAt = .now
        if sink?.hasMoved(from: path) ?? false { reopen() }
    }

    /// Gives the file another name and begins a new one; where that cannot be, it is written on.
    private mutating func rotate() {
        guard path != "-" else { return }
        do throws(RecordSink.Trouble) {
            try RecordRotation.rotate(path, keeping: rotation.kept)
        } catch {
            nextRotation = .now + Self.rotationRetryTime
            return logger.error(
                "records cannot be rotated, trying again in a minute",
                metadata: ["file": "\(path)", "reason": "\(Self.text(error))"]
            )
        }
        reopen()
    }

    /// Opens the path anew; if that fails, what is open stays, unless the path leads to something else by now.
    ///
    /// A user without the privileges that the agent began with may write what is open and not open it again.
    private mutating func reopen() {
        guard path != "-" else { return }
        do throws(RecordSink.Trouble) {
            sink = try RecordSink.open(path)
            openedAt = .now
            logger.info("record file opened anew", metadata: ["file": "\(path)"])
        } catch {
            if let hasMoved = sink?.hasMoved(from: path), !hasMoved {
                return logger.warning(
                    "record file cannot be opened anew, the one that is open is written on",
                    metadata: ["file": "\(path)", "reason": "\(Self.text(error))"]
                )
            }
            sink = nil
            failed(Self.text(error))
        }
    }

    private static func text(_ trouble: RecordSink.Trouble) -> String {
        switch trouble {
        case .busy: "the reader of the pipe is slow"
        case .noReader: "the pipe has no reader"
        case .failed(let reason): reason
        }
    }
}
