// Wingmirror · Apache-2.0

import Foundation
import TLSDecryption
import TestSupport
import Testing

@testable import Agent
@testable import AgentConfiguration

@Suite struct KeyLogFollowerTests {
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

    private func append(_ text: String) throws {
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(filePath: log)) }
        let file = try FileHandle(forWritingTo: URL(filePath: log))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private func follower(_ states: States) -> KeyLogFollower {
        var configuration = TLSConfiguration()
        configuration.keyLog = log
        return KeyLogFollower(configuration, into: store) { states.latest = $0 }
    }

    private final class States {
        var latest = KeyLogState()
    }

    @Test func `lines are read as they come, half a line when it is whole`() throws {
        let states = States()
        let follower = follower(states)
        follower.look()
        #expect(!states.latest.isOpen && states.latest.problem != nil)
        try append(Self.line(1) + String(Self.line(2).prefix(40)))
        follower.look()
        #expect(states.latest.isOpen && states.latest.problem == nil)
        #expect(store.count == 1)
        try append(String(Self.line(2).dropFirst(40)))
        follower.look()
        #expect(store.count == 2)
        #expect(states.latest.counts.malformed == 0)
    }

    @Test func `a log that is renamed is read to its end, and then the new one`() throws {
        let states = States()
        let follower = follower(states)
        try append(Self.line(1))
        follower.look()
        try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
        let old = try FileHandle(forWritingTo: URL(filePath: log + ".1"))
        try old.seekToEnd()
        try old.write(contentsOf: Data(Self.line(2).utf8))
        try old.close()
        follower.look()
        #expect(store.count == 2)
        try append(Self.line(3))
        follower.look()
        #expect(store.count == 3)
        #expect(states.latest.replacements == 1)
    }

    @Test func `a log that is emptied is read from its start`() throws {
        let states = States()
        let follower = follower(states)
        try append(Self.line(1) + Self.line(2))
        follower.look()
        let file = try FileHandle(forWritingTo: URL(filePath: log))
        try file.truncate(atOffset: 0)
        try file.close()
        try append(Self.line(3))
        follower.look()
        #expect(store.count == 3)
        #expect(states.latest.truncations == 1)
    }

    @Test func `of a long log only the end is read at first`() throws {
        let states = States()
        try append((0..<12_000).map(Self.line).joined())
        follower(states).look()
        #expect(store.count > 5_900 && store.count < 6_000)
        #expect(states.latest.counts.malformed == 0)
    }

    @Test func `what is no regular file is refused`() throws {
        let states = States()
        var configuration = TLSConfiguration()
        configuration.keyLog = "/dev/null"
        KeyLogFollower(configuration, into: store) { states.latest = $0 }.look()
        #expect(!states.latest.isOpen)
        #expect(states.latest.problem == "it is no regular file")
    }
}
