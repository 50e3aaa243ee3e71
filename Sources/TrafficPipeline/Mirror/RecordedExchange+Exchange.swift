// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import ShadowTesting
internal import TLSDecryption
internal import TrafficModel

extension RecordedExchange {
    /// Takes over an exchange whose heads were retained, with the TLS of its connection where that is kept; `nil` where there
    /// is no request with its octets.
    init?(
        _ facts: ExchangeFacts,
        _ exchange: borrowing Exchange,
        _ session: TLSSession? = nil,
        route: @autoclosure () -> RouteName
    ) {
        guard facts.hasRequest, let retained = exchange.retainedRequest, !retained.method.isEmpty,
            !retained.target.isEmpty
        else { return nil }
        let request = RecordedRequest(
            method: String(decoding: retained.octets[retained.method], as: UTF8.self),
            target: Array(retained.octets[retained.target]),
            message: RecordedMessage(retained, facts.request, namesHost: facts.version == .http2)
        )
        var response: RecordedResponse?
        if facts.hasResponse, let retained = exchange.retainedResponse {
            response = RecordedResponse(
                status: facts.status,
                message: RecordedMessage(retained, facts.response)
            )
        }
        let integrity = facts.integrity
        self.init(
            request: request,
            response: response,
            route: route(),
            clientAddress: facts.connection.client.address.description,
            connection: facts.connection.number,
            startTime: facts.startTime.nanoseconds,
            firstByteNanoseconds: facts.firstByteNanoseconds,
            durationNanoseconds: facts.durationNanoseconds,
            integrity: integrity.isEmpty ? [] : Integrity.words.filter { integrity.contains($0.mark) }.map(\.word),
            serverAddress: facts.connection.server.address.description,
            serverPort: Int(facts.connection.server.port),
            protocolVersion: facts.version.text,
            requestNanoseconds: facts.request.lastOctet.nanoseconds(since: facts.request.firstOctet)
        )
        isRequestEnded = exchange.isRequestEnded
        isSecured = facts.connection.isSecured
        if let session, session.isServerNameKnown { serverName = String(decoding: session.serverName, as: UTF8.self) }
    }
}

extension RecordedMessage {
    /// Copies a message; with `namesHost` the authority becomes a Host field, as in HTTP/1.1, unless there is one.
    fileprivate init(_ retained: RetainedMessage, _ figures: MessageFigures, namesHost: Bool = false) {
        let octets = retained.octets
        var fields = retained.fields.map { field in
            RecordedField(
                name: String(decoding: octets[field.name], as: UTF8.self),
                value: Array(octets[field.value]),
                isSecret: field.isNeverIndexed
            )
        }
        if namesHost, let authority = retained.authority, !fields.contains(where: { $0.name == "host" }) {
            fields.insert(RecordedField(name: "host", value: Array(octets[authority])), at: 0)
        }
        self.init(
            fields: fields,
            content: retained.content,
            contentOctets: figures.contentOctets
        )
        trailers = retained.trailers.fields.map { field in
            RecordedField(
                name: String(decoding: retained.trailers.octets[field.name], as: UTF8.self),
                value: Array(retained.trailers.octets[field.value]),
                isSecret: field.isNeverIndexed
            )
        }
    }
}
