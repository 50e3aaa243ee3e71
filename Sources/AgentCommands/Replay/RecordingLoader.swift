// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ContentDecoding
import Recordings
import TrafficModel

/// Reads recordings of any kind, so that they can be ordered and sent in rounds.
///
/// What is more than a little is kept in a temporary file; memory holds the places of the exchanges there.
struct RecordingLoader {
    /// The most octets of all recordings together, decompressed.
    static let octetLimit = 64 << 30
    /// The most octets of exchanges that are kept in memory, and which part of what there may be.
    private static let room = (octets: 16 << 20, share: 4)
    /// An archive may have members in front of its log.
    private static let beginningOctets = 1 << 20

    /// What could be read.
    private(set) var recording = Recording(entries: [])
    /// What is wrong with the files, one line for each.
    private(set) var damage: [String] = []

    /// Why a file may have given less than was meant, one line for each; no damage.
    private(set) var notices: [String] = []

    private let configuration: Configuration
    private let needsContent: Bool
    private let octetLimit: Int
    private let memoryLimit: Int
    private let store: RecordingStore
    private var joiner: GorJoiner
    private var losses = RecordingLosses()
    private var octets = 0

    /// Reads the recordings at `paths`; `-` is standard input.
    ///
    /// - Parameters:
    ///   - paths: the files.
    ///   - configuration: which packets of savefiles are taken, and where the keys of their TLS are.
    ///   - needsContent: whether records without all of the request's content are passed over; if not, nothing but the heads
    ///     of requests is held.
    ///   - octetLimit: the most octets of all together.
    ///   - memoryLimit: the most that their exchanges may take in memory, in octets; `nil` for what the configuration, the control
    ///     group or the machine allows.
    ///   - scratch: where exchanges are kept that there is no room for.
    /// - Throws: what cannot be read at all, or is no recording, or is too much.
    init(
        _ paths: [String],
        _ configuration: Configuration = Configuration(),
        needsContent: Bool = true,
        octetLimit: Int = Self.octetLimit,
        memoryLimit: Int? = nil,
        scratch: any RecordingScratch = RecordingScratchFile()
    ) throws(CommandFailure) {
        self.configuration = configuration
        self.needsContent = needsContent
        self.octetLimit = octetLimit
        let memoryLimit = memoryLimit ?? MemoryBudget.current(configuration.limits).octets
        self.memoryLimit = memoryLimit
        store = RecordingStore(room: min(Self.room.octets, memoryLimit / Self.room.share), scratch: scratch)
        joiner = GorJoiner(store: store)
        for path in paths { try read(path) }
        joiner.joinWaiting()
        losses.add(joiner.losses)
        recording = Recording(store.takeEntries(), losses: losses)
    }

    private mutating func read(_ path: String) throws(CommandFailure) {
        var file = try RecordingFile(path)
        let first = try Self.beginning { () throws(CommandFailure) in try file.next() }
        guard !first.isEmpty else { throw CommandFailure(.usage, "\(path): is empty") }
        switch RecordingFormat(beginning: first) {
        case .records: try readRecords(first, path) { () throws(CommandFailure) in try file.next() }
        case .gor: try readGor(first, path) { () throws(CommandFailure) in try file.next() }
        case .har: try readArchive(first, path) { () throws(CommandFailure) in try file.next() }
        case .savefile: try readSavefile(path)
        case .gzip: try readCompressed(first, path, file)
        case nil: throw Self.unknown(path)
        }
    }

    /// As many octets as tell what a recording is, of which a pipe or compressed data give few at a time.
    private static func beginning(_ next: Pieces) throws(CommandFailure) -> [UInt8] {
        var beginning: [UInt8] = []
        while beginning.count < beginningOctets, case let piece = try next(), !piece.isEmpty { beginning += piece }
        return beginning
    }

    private static func unknown(_ path: String) -> CommandFailure {
        CommandFailure(.usage, "\(path): is neither request records nor a .gor file nor a HAR file nor a pcap file")
    }

    /// Counts octets, and refuses more than there may be.
    private mutating func count(_ piece: [UInt8], _ path: String) throws(CommandFailure) {
        octets += piece.count
        guard octets <= octetLimit else {
            throw CommandFailure(
                .usage,
                "\(path): the recordings are larger than \(ByteSize(octetLimit)) together; replay them in parts"
            )
        }
    }

    /// Refuses exchanges that take more memory than there may be.
    private func checkMemory(_ path: String) throws(CommandFailure) {
        guard store.octetsInMemory + joiner.octetsInMemory > memoryLimit else { return }
        let reason = store.failure.map { ", and \($0)" } ?? ""
        throw CommandFailure(
            .usage,
            "\(path): the exchanges of the recordings take more than \(ByteSize(memoryLimit)) of memory together\(reason); read them in parts"
        )
    }

    private func keep(_ exchanges: [RecordedExchange], _ path: String) throws(CommandFailure) {
        for var exchange in exchanges {
            if !needsContent { exchange.leaveHeadOfRequest() }
            store.append(exchange)
        }
        try checkMemory(path)
    }

    // MARK: - Formats

    private typealias Pieces = () throws(CommandFailure) -> [UInt8]

    private mutating func readRecords(
        _ first: [UInt8],
        _ path: String,
        _ next: Pieces
    ) throws(CommandFailure) {
        var reader = NDJSONRecordReader(needsContent: needsContent)
        var piece = first
        while !piece.isEmpty {
            try count(piece, path)
            reader.append(piece)
            try keep(reader.takeExchanges(), path)
            piece = try next()
        }
        reader.finish()
        try keep(reader.takeExchanges(), path)
        losses.add(reader.losses)
        if let problem = reader.firstProblem, reader.losses.damage > 0 {
            damage.append("\(path):\(problem.line): \(problem.reason)" + Self.others(reader.losses.damage - 1))
        }
    }

    private static func others(_ count: Int) -> String {
        count > 0 ? "; \(count) more \(count == 1 ? "line" : "lines") cannot be read" : ""
    }

    private mutating func readGor(_ first: [UInt8], _ path: String, _ next: Pieces) throws(CommandFailure) {
        var reader = GorReader()
        var piece = first
        while !piece.isEmpty {
            try count(piece, path)
            reader.append(piece)
            try join(reader.takeRecords(), path)
            piece = try next()
        }
        reader.finish()
        try join(reader.takeRecords(), path)
        losses.add(reader.losses)
        for (reason, count) in reader.losses.reasons { damage.append("\(path): \(reason.counted(count))") }
    }

    private mutating func join(_ records: [GorRecord], _ path: String) throws(CommandFailure) {
        for var record in records {
            if !needsContent { record.leaveHeadOfRequest() }
            joiner.append(record)
        }
        try checkMemory(path)
    }

    private mutating func readArchive(_ first: [UInt8], _ path: String, _ next: Pieces) throws(CommandFailure) {
        var reader = HARReader()
        var piece = first
        while !piece.isEmpty {
            try count(piece, path)
            try Self.naming(path) { () throws(HARReader.Failure) in try reader.append(piece) }
            try keep(reader.takeExchanges(), path)
            piece = try next()
        }
        try Self.naming(path) { () throws(HARReader.Failure) in try reader.finish() }
        losses.add(reader.losses)
        for (reason, count) in reader.losses.reasons where [.malformedRecord, .tooLarge].contains(reason) {
            damage.append("\(path): \(reason.counted(count))")
        }
    }

    /// Does something with an archive; what is wrong with it is said with its name.
    static func naming(
        _ path: String,
        _ body: () throws(HARReader.Failure) -> Void
    ) throws(CommandFailure) {
        do throws(HARReader.Failure) {
            try body()
        } catch {
            throw CommandFailure(.usage, "\(path): \(error.reason)")
        }
    }

    private mutating func readSavefile(_ path: String) throws(CommandFailure) {
        guard path != "-" else {
            throw CommandFailure(.usage, "-: a pcap file needs a name, because it is opened a second time")
        }
        let savefile = try SavefileRecording(
            path,
            configuration,
            keepsContent: needsContent,
            octetLimit: octetLimit - octets,
            memoryLimit: memoryLimit,
            store
        )
        octets += savefile.octets
        damage += savefile.failures
        notices += savefile.notices
    }

    /// Reads a gzipped recording; a savefile is decompressed by what reads savefiles.
    private mutating func readCompressed(
        _ first: [UInt8],
        _ path: String,
        _ file: consuming RecordingFile
    ) throws(CommandFailure) {
        if case .savefile? = try? Self.formatInside(first) { return try readSavefile(path) }
        var unpacked = try CompressedRecording(file, path, beginning: first)
        let beginning = try Self.beginning { () throws(CommandFailure) in try unpacked.next() }
        switch RecordingFormat(beginning: beginning) {
        case .records: try readRecords(beginning, path) { () throws(CommandFailure) in try unpacked.next() }
        case .gor: try readGor(beginning, path) { () throws(CommandFailure) in try unpacked.next() }
        case .har: try readArchive(beginning, path) { () throws(CommandFailure) in try unpacked.next() }
        case .savefile, .gzip, nil: throw Self.unknown(path)
        }
        if unpacked.isCut { damage.append("\(path): the compressed data is cut short") }
    }

    /// The format of what the beginning of a gzipped file holds.
    private static func formatInside(_ first: [UInt8]) throws(ContentDecodingError) -> RecordingFormat? {
        let inside = try ContentDecoding.decode(first, codings: ["gzip"], limit: RecordingFormat.neededOctets)
        return RecordingFormat(beginning: inside.octets)
    }
}

extension RecordedExchange {
    /// Forgets all but the head of the request.
    fileprivate mutating func leaveHeadOfRequest() {
        request.message.content = []
        response = nil
    }
}

extension GorRecord {
    /// Forgets all but the head of a request; that there was a response stays.
    fileprivate mutating func leaveHeadOfRequest() {
        switch message {
        case .request(var request):
            request.message.content = []
            message = .request(request)
        case .response(let response):
            message = .response(RecordedResponse(status: response.status, message: RecordedMessage(fields: [])))
        case .replayed, .damagedReplay: message = .damagedReplay(isCut: false)
        }
    }
}

extension RecordingLosses {
    /// How many records are damaged, rather than made without what replaying needs.
    fileprivate var damage: Int {
        [RecordingLoss.malformedRecord, .malformedMessage, .cutMessage, .tooLarge].reduce(0) { $0 + self[$1] }
    }
}
