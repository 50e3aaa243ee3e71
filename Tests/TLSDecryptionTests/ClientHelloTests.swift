// Wingmirror · Apache-2.0

import Testing

@testable import TLSDecryption

/// What is known of the name in a client's hello, of which any part may not have been captured.
@Suite struct ClientHelloTests {
    /// A hello with extensions of these types and contents.
    private static func hello(_ extensions: [(type: UInt8, content: [UInt8])]) -> [UInt8] {
        func vector(_ content: [UInt8]) -> [UInt8] {
            [UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
        let list = vector(extensions.flatMap { [0, $0.type] + vector($0.content) })
        let body = [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x13, 0x01, 1, 0] + list
        return [1, 0, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    private static func read(_ message: [UInt8]) -> ClientHello? { ClientHello(message.span) }

    private static let name = Array("shop.example.com".utf8)
    private static let asked: (type: UInt8, content: [UInt8]) = (0, [0, 19, 0, 0, 16] + name)
    private static let padding: (type: UInt8, content: [UInt8]) = (21, [UInt8](repeating: 0, count: 40))

    @Test func `of a hello that is cut anywhere, the name is known as soon as its extension is there`() throws {
        let whole = Self.hello([Self.padding, Self.asked, Self.padding])
        let nameEnd = whole.count - 44
        for count in ClientHello.randomEnd...whole.count {
            let hello = try #require(Self.read(Array(whole[..<count])))
            #expect(hello.isServerNameKnown == (count >= nameEnd), "\(count)")
            #expect(hello.serverName == (count >= nameEnd ? Self.name : []), "\(count)")
        }
    }

    @Test func `that no name was asked for is known from the whole hello alone`() throws {
        let whole = Self.hello([Self.padding, Self.padding])
        for count in ClientHello.randomEnd...whole.count {
            let hello = try #require(Self.read(Array(whole[..<count])))
            #expect(hello.isServerNameKnown == (count == whole.count), "\(count)")
            #expect(hello.serverName.isEmpty)
        }
    }

    @Test func `a hello may have no extensions`() throws {
        let body = [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x00, 0x2F, 1, 0]
        let hello = try #require(Self.read([1, 0, 0, UInt8(body.count)] + body))
        #expect(hello.isServerNameKnown && hello.serverName.isEmpty)
    }
}
