// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import ShadowTesting
internal import TrafficModel

extension RecordedExchange {
    /// Takes over an exchange whose heads were retained; `nil` where there is no request with its octets.
    init?(
        _ exchange: borrowing Exchange,
        on connection: ConnectionFacts,
        route: @autoclosure () -> RouteName
    ) {
        guard exchange.hasRequest, let retained = exchange.retainedRequest else { return nil }
        let request = RecordedRequest(
            method: String(decoding: retained.octets[retained.method], as: UTF8.self),
            target: Array(retained.octets[retained.target]),
            message: RecordedMessage(retained, exchange.request)
        )
        var response: RecordedResponse?
        if exchange.hasResponse, let retained = exchange.retainedResponse {
            response = RecordedResponse(
                status: exchange.status,
                message: RecordedMessage(retained, exchange.response)
            )
        }
        let integrity = exchange.integrity
        self.init(
            request: request,
            response: response,
            route: route(),
            clientAddress: connection.client.address.description,
            connection: connection.number,
            startTime: exchange.startTime.nanoseconds,
            firstByteNanoseconds: exchange.responseFirstByteNanoseconds,
            durationNanoseconds: exchange.durationNanoseconds,
            integrity: integrity.isEmpty ? [] : Integrity.words.filter { integrity.contains($0.mark) }.map(\.word),
            serverAddress: connection.server.address.description,
            protocolVersion: exchange.version.text,
            requestNanoseconds: exchange.request.lastOctet.nanoseconds(since: exchange.request.firstOctet)
        )
    }
}

extension RecordedMessage {
    fileprivate init(_ retained: RetainedMessage, _ figures: MessageFigures) {
        let octets = retained.octets
        self.init(
            fields: retained.fields.map { field in
                RecordedField(
                    name: String(decoding: octets[field.name], as: UTF8.self),
                    value: Array(octets[field.value])
                )
            },
            content: retained.content,
            contentOctets: figures.contentOctets
        )
    }
}
