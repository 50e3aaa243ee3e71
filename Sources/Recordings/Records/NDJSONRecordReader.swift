// Wingmirror · Apache-2.0
// Exchange records: the guide Records.

public import TrafficModel

/// Reads exchange records, one JSON object a line, as their octets come.
///
/// What is to be replayed must have been recorded with fields, and with all of the request's content; records that lack
/// them are counted and passed over, as are lines that are no record. To find routes the content is not needed.
public struct NDJSONRecordReader: Sendable {
    /// What could not be read.
    public private(set) var losses = RecordingLosses()
    /// The first line that could not be read, by its number from 1, and why.
    public private(set) var firstProblem: (line: Int, reason: String)?
    private let limits: RecordingLimits
    private let needsContent: Bool
    private var exchanges: [RecordedExchange] = []
    /// The beginning of a line whose end has not come.
    private var line: [UInt8] = []
    private var lineNumber = 1
    /// Whether the line is too long, so that the rest of it is not kept.
    private var isSkipping = false

    /// Makes a reader at the start of a file.
    ///
    /// - Parameters:
    ///   - limits: How large a record may be.
    ///   - needsContent: Whether records without all of the request's content are passed over.
    public init(limits: RecordingLimits = RecordingLimits(), needsContent: Bool = true) {
        self.limits = limits
        self.needsContent = needsContent
    }

    /// Hands over the exchanges read since the last time.
    public mutating func takeExchanges() -> [RecordedExchange] {
        defer { exchanges = [] }
        return exchanges
    }

    /// Takes the next octets of the file.
    public mutating func append(_ octets: [UInt8]) {
        var rest = octets[...]
        while let lineEnd = rest.firstIndex(of: 0x0A) {
            add(rest[..<lineEnd])
            endLine()
            rest = rest[(lineEnd + 1)...]
        }
        add(rest)
    }

    /// There are no more octets; the last line needs no end.
    public mutating func finish() {
        endLine()
    }

    private mutating func add(_ part: ArraySlice<UInt8>) {
        guard !isSkipping else { return }
        guard line.count + part.count <= limits.recordOctets else {
            isSkipping = true
            line = []
            return
        }
        line += part
    }

    private mutating func endLine() {
        defer {
            line.removeAll(keepingCapacity: line.capacity < 1 << 20)
            isSkipping = false
            lineNumber += 1
        }
        if isSkipping { return refuse(.tooLarge, "the line is longer than \(limits.recordOctets) bytes") }
        guard line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) else { return }
        do throws(RecordLine.Problem) {
            exchanges.append(try RecordLine(line, limits).exchange(needsContent: needsContent))
        } catch {
            refuse(error.loss, error.reason)
        }
    }

    private mutating func refuse(_ loss: RecordingLoss, _ reason: String) {
        losses.count(loss)
        if firstProblem == nil { firstProblem = (lineNumber, reason) }
    }
}
