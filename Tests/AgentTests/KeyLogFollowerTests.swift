// Wingmirror · Apache-2.0

import Foundation
import TLSDecryption
import TestSupport
import Testing

@testable import Agent
@testable import AgentConfiguration

@Suite struct KeyLogFollowerTests {
    @Test func `a file without a key is asked to be one`() {
        #expect(KeyLogFile.emptiness(of: "README.md", KeyStore()) == "README.md holds no keys: is it a key log?")
    }

    private let folder: TemporaryFolder
    private let store = KeyStore()

    init() throws {
        folder = try TemporaryFolder()
    }

    private var log: String { "\(folder.path)/keys" }

    private static func line(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        let random = String(repeating: "0", count: 64 - digits.count) + digits
        return "CLIENT_RANDOM \(random) \(String(repeating: "ab", count: 48))\n"
    }

    private func append(_ text: String, to path: String? = nil, mode: Int = 0o640) throws {
        let path = path ?? log
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(filePath: path)) }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private func follower(_ states: States, reclaims: Bool = false) -> KeyLogFollower {
        var configuration = TLSConfiguration()
        configuration.keyLog = log
        configuration.reclaim = reclaims ? .punch : .none
        return KeyLogFollower(configuration, into: store) { states.latest = $0 }
    }

    private final class States {
        var latest = KeyLogState()
    }

    @Test func `lines are read as they come, half a line when it is whole`() throws {
        let states = States()
        let follower = follower(states)
        follower.look(at: .zero)
        #expect(!states.latest.isOpen && states.latest.problem != nil)
        try append(Self.line(1) + String(Self.line(2).prefix(40)))
        follower.look(at: .zero)
        #expect(states.latest.isOpen && states.latest.problem == nil)
        #expect(store.count == 1)
        try append(String(Self.line(2).dropFirst(40)))
        follower.look(at: .zero)
        #expect(store.count == 2)
        #expect(states.latest.counts.malformed == 0)
    }

    @Test func `a log that is renamed is read to its end, and then the new one`() throws {
        let states = States()
        let follower = follower(states)
        try append(Self.line(1))
        follower.look(at: .zero)
        try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        let old = try FileHandle(forWritingTo: URL(filePath: log + ".1"))
        try old.seekToEnd()
        try old.write(contentsOf: Data(Self.line(2).utf8))
        try old.close()
        follower.look(at: .zero)
        #expect(store.count == 2)
        try append(Self.line(3))
        follower.look(at: .zero)
        #expect(store.count == 3)
        #expect(states.latest.replacements == 1)
    }

    @Test func `after a rotation the old log is read on until the new one has been written to for a minute`() throws {
        let states = States()
        let follower = follower(states)
        try append(Self.line(1))
        follower.look(at: .zero)
        // What logrotate does with "create": Envoy still writes into the old one, however long SIGUSR1 takes.
        try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        try append("")
        follower.look(at: .seconds(1))
        try append(Self.line(2), to: log + ".1")
        follower.look(at: .seconds(500))
        #expect(store.count == 1 && store.forgotten.expired == 1)
        // Another rotation, before the first was heard of.
        try FileManager.default.moveItem(atPath: log, toPath: log + ".2")
        try append("")
        try append(Self.line(3), to: log + ".1")
        follower.look(at: .seconds(501))
        #expect(store.count == 2)
        // SIGUSR1: what Envoy had kept back goes into the old one.
        try append(String(Self.line(4).prefix(50)), to: log + ".1")
        try append(Self.line(5))
        follower.look(at: .seconds(502))
        try append(String(Self.line(4).dropFirst(50)), to: log + ".1")
        follower.look(at: .seconds(503))
        #expect(store.count == 4)
        #expect(states.latest.counts.secrets == 5 && states.latest.counts.malformed == 0)
        follower.look(at: .seconds(563))
        try append(Self.line(6), to: log + ".1")
        follower.look(at: .seconds(564))
        #expect(states.latest.counts.secrets == 5)
        #expect(states.latest.replacements == 2)
    }

    @Test func `many rotations in a row leave the log that is written to, and few others, open`() throws {
        let states = States()
        let follower = follower(states)
        try append(Self.line(1))
        follower.look(at: .zero)
        for number in 1...20 {
            try FileManager.default.moveItem(atPath: log, toPath: "\(log).\(number)")
            try append("")
            follower.look(at: .seconds(number))
        }
        try append(Self.line(2), to: log + ".1")
        follower.look(at: .seconds(21))
        #expect(store.count == 2)
    }

    @Test func `what was not read is not punched away when the log is another file`() throws {
        let states = States()
        let follower = follower(states, reclaims: true)
        try append(String(repeating: Self.line(1), count: 1_000))
        follower.look(at: .zero)
        try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        try append(String(repeating: Self.line(1), count: 2_000), to: log + ".1")
        try append((2..<1_000).map(Self.line).joined())
        follower.look(at: .zero)
        #expect(store.count == 999)
        #expect(states.latest.counts.malformed == 0)
        #expect(states.latest.problem == nil)
    }

    @Test func `what was read is given back, and the log read on`() throws {
        let states = States()
        let follower = follower(states, reclaims: true)
        try append(String(repeating: Self.line(1), count: 4_000))
        follower.look(at: .zero)
        try append(Self.line(2))
        follower.look(at: .zero)
        #expect(store.count == 2 && states.latest.problem == nil)
        let blocks = try ExternalProgram("stat", ["--format", "%b", log]).blockingRun().text.filter(\.isNumber)
        #expect((Int(blocks) ?? .max) * 512 < 64 << 10)
    }

    @Test func `where nothing can be given back, that is said from the beginning`() throws {
        // A file whose file system punches no holes, whoever asks.
        var configuration = TLSConfiguration()
        configuration.keyLog = "/proc/self/comm"
        configuration.allowsReadableByAll = true
        configuration.reclaim = .punch
        let states = States()
        let follower = KeyLogFollower(configuration, into: store) { states.latest = $0 }
        let problem = "what was read cannot be given back, as tls.reclaim asks: Operation not supported"
        for _ in 0..<2 {
            follower.look(at: .zero)
            #expect(states.latest.problem == problem)
            #expect(states.latest.isOpen)
        }
        let examination = KeyLogExamination(configuration)
        #expect(!examination.isUsable && examination.detail == problem)
    }

    @Test func `a log that all may read is not read, whenever it comes`() throws {
        let states = States()
        let follower = follower(states)
        try append(Self.line(1), mode: 0o644)
        follower.look(at: .zero)
        let refusal = "it can be read by every user of this machine, and with it all traffic it covers"
        #expect(store.count == 0 && states.latest.problem == refusal && !states.latest.isOpen)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: log)
        follower.look(at: .zero)
        #expect(store.count == 1 && states.latest.problem == nil && states.latest.isOpen)
        try append(Self.line(2), mode: 0o644)
        follower.look(at: .zero)
        #expect(store.count == 1 && states.latest.problem == refusal && !states.latest.isOpen)
        // What takes its place is looked at too, and the old one read to its end.
        try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        try append(Self.line(3), mode: 0o644)
        follower.look(at: .zero)
        #expect(store.count == 2 && states.latest.problem == refusal)
    }

    @Test func `a log that is emptied is read from its start`() throws {
        let states = States()
        let follower = follower(states)
        try append(Self.line(1) + Self.line(2))
        follower.look(at: .zero)
        let file = try FileHandle(forWritingTo: URL(filePath: log))
        try file.truncate(atOffset: 0)
        try file.close()
        try append(Self.line(3))
        follower.look(at: .zero)
        #expect(store.count == 3)
        #expect(states.latest.truncations == 1)
    }

    @Test func `of a long log only the end is read at first`() throws {
        let states = States()
        try append((0..<12_000).map(Self.line).joined())
        follower(states).look(at: .zero)
        #expect(store.count > 5_900 && store.count < 6_000)
        #expect(states.latest.counts.malformed == 0)
    }

    @Test func `what is no regular file is refused`() throws {
        let states = States()
        var configuration = TLSConfiguration()
        configuration.keyLog = "/dev/null"
        KeyLogFollower(configuration, into: store) { states.latest = $0 }.look(at: .zero)
        #expect(!states.latest.isOpen)
        #expect(states.latest.problem == "it is no regular file")
    }
}
