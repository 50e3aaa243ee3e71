// Wingmirror · Apache-2.0

import Foundation

/// The files of `Fixtures`, which its README describes.
enum Fixtures {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    /// All files of a folder, decoded, with their names without extension, in the order of the names.
    static func read<File: Decodable>(_ name: String, as type: File.Type) throws -> [(name: String, file: File)] {
        try FileManager.default.contentsOfDirectory(at: folder.appending(path: name), includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { url in
                let decoder = JSONDecoder()
                decoder.keyDecodingStrategy = .convertFromSnakeCase
                let file = try decoder.decode(File.self, from: Data(contentsOf: url))
                return (url.deletingPathExtension().lastPathComponent, file)
            }
    }
}

/// Octets that a file holds as base64.
struct Base64Octets: Decodable, Sendable {
    let octets: [UInt8]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let data = Data(base64Encoded: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not base64")
        }
        octets = Array(data)
    }
}
