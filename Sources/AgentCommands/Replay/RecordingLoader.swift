// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ContentDecoding
import Recordings
import TrafficModel

/// Reads recordings of any kind into memory, where they can be ordered and sent in rounds.
struct RecordingLoader {
    /// The most octets of all recordings together, decompressed.
    static let octetLimit = 2 << 30

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
    private var recordings: [Recording] = []
    private var joiner = GorJoiner()
    private var gorLosses = RecordingLosses()
    private var octets = 0
    /// What the exchanges take in memory: many times their octets where they are small.
    private var memory = 0

    /// Reads the recordings at `paths`; `-` is standard input.
    ///
    /// - Parameters:
    ///   - paths: the files.
    ///   - configuration: which packets of savefiles are taken, and where the keys of their TLS are.
    ///   - needsContent: whether records without all of the request's content are passed over; if not, nothing but the heads
    ///     of requests is held.
    ///   - octetLimit: the most octets of all together.
    ///   - memoryLimit: the most that their exchanges may take in memory; `nil` for what the configuration, the control group
    ///     or the machine allows.
    /// - Throws: what cannot be read at all, or is no recording, or is too much.
    init(
        _ paths: [String],
        _ configuration: Configuration = Configuration(),
        needsContent: Bool = true,
        octetLimit: Int = Self.octetLimit,
        memoryLimit: Int? = nil
    ) throws(CommandFailure) {
        self.configuration = configuration
        self.needsContent = needsContent
        self.octetLimit = octetLimit
        self.memoryLimit = memoryLimit ?? MemoryBudget.current(configuration.limits).octets
        for path in paths { try read(path) }
        var joined = joiner.finish()
        joined.losses.add(gorLosses)
        recording = Recording.merged(recordings + [joined])
        // Several files are in memory twice until here.
        recordings = []
    }

    private mutating func read(_ path: String) throws(CommandFailure) {
        var file = try RecordingFile(path)
        let first = try file.next()
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

    /// Counts what an exchange, or a part of one, takes in memory, and refuses more than there may be.
    private mutating func hold(_ octets: Int, _ path: String) throws(CommandFailure) {
        memory += octets
        guard memory <= memoryLimit else {
            throw CommandFailure(
                .usage,
                "\(path): the exchanges of the recordings take more than \(ByteSize(memoryLimit)) of memory together; read them in parts"
            )
        }
    }

    private mutating func hold(
        _ exchanges: [RecordedExchange],
        _ path: String,
        _ entries: inout [RecordingEntry]
    ) throws(CommandFailure) {
        for var exchange in exchanges {
            if !needsContent { exchange.leaveHeadOfRequest() }
            try hold(exchange.octetsInMemory, path)
            entries.append(RecordingEntry(exchange: exchange))
        }
    }

    // MARK: - Formats

    private typealias Pieces = () throws(CommandFailure) -> [UInt8]

    private mutating func readRecords(
        _ first: [UInt8],
        _ path: String,
        _ next: Pieces
    ) throws(CommandFailure) {
        var reader = NDJSONRecordReader(needsContent: needsContent)
        var entries: [RecordingEntry] = []
        var piece = first
        while !piece.isEmpty {
            try count(piece, path)
            reader.append(piece)
            try hold(reader.takeExchanges(), path, &entries)
            piece = try next()
        }
        reader.finish()
        try hold(reader.takeExchanges(), path, &entries)
        recordings.append(Recording(entries: entries, losses: reader.losses))
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
        gorLosses.add(reader.losses)
        for (reason, count) in reader.losses.reasons { damage.append("\(path): \(reason.counted(count))") }
    }

    private mutating func join(_ records: [GorRecord], _ path: String) throws(CommandFailure) {
        for var record in records {
            if !needsContent { record.leaveHeadOfRequest() }
            try hold(record.octetsInMemory, path)
            joiner.append(record)
        }
    }

    private mutating func readArchive(_ first: [UInt8], _ path: String, _ next: Pieces) throws(CommandFailure) {
        var reader = HARReader()
        var entries: [RecordingEntry] = []
        var piece = first
        while !piece.isEmpty {
            try count(piece, path)
            try Self.naming(path) { () throws(HARReader.Failure) in try reader.append(piece) }
            try hold(reader.takeExchanges(), path, &entries)
            piece = try next()
        }
        try Self.naming(path) { () throws(HARReader.Failure) in try reader.finish() }
        recordings.append(Recording(entries: entries, losses: reader.losses))
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
            memoryLimit: memoryLimit - memory
        )
        octets += savefile.octets
        memory += savefile.memory
        recordings.append(savefile.recording)
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
        let beginning = try unpacked.next()
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

    /// About how much memory the record takes where it is joined with others, in octets.
    fileprivate var octetsInMemory: Int {
        switch message {
        case .request(let request): 1024 + request.target.count + request.message.octetsInMemory
        case .response(let response), .replayed(let response): 128 + response.message.octetsInMemory
        case .damagedReplay: 128
        }
    }
}

extension RecordingLosses {
    /// How many records are damaged, rather than made without what replaying needs.
    fileprivate var damage: Int {
        [RecordingLoss.malformedRecord, .malformedMessage, .cutMessage, .tooLarge].reduce(0) { $0 + self[$1] }
    }
}
