using System.Net.Http.Headers;
using System.Net.Mime;
using System.Runtime.CompilerServices;
using Distill.Teacher.Remote.Network;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>
/// A chat client for OpenAI-compatible endpoints: one request, one attempt; <see cref="Calls.ResilientChatClient"/> adds the patience.
/// Thread-safe. Disposing it closes its connections.
/// </summary>
/// <remarks>
/// Why not the OpenAI package behind Microsoft.Extensions.AI.OpenAI (tried at 2.15 and 10.11): a finish reason it does not know ends in an
/// exception, so a completion that was paid for is lost; <c>reasoning</c> as vLLM and OpenRouter send it is dropped; <c>max_tokens</c>, the
/// only limit many servers know, cannot be chosen; the size of an answer is not bounded. It remains usable as any other
/// <see cref="IChatClient"/>.
/// </remarks>
public sealed class CompatibleChatClient : IChatClient
{
    private readonly EndpointOptions endpoint;
    private readonly ApiKey? key;
    private readonly TimeProvider clock;
    private readonly HttpClient http;
    private readonly Uri address;

    /// <param name="key">Null for an endpoint that wants none.</param>
    /// <param name="clock">Turns the date of a Retry-After into a time to wait; default: the system's.</param>
    /// <exception cref="ArgumentException">The options cannot be used; every problem is named.</exception>
    public CompatibleChatClient(EndpointOptions endpoint, ApiKey? key, TimeProvider? clock = null)
    {
        var problems = endpoint.FindProblems();
        if (problems.Count > 0) throw new ArgumentException(string.Join(" ", problems), nameof(endpoint));
        (this.endpoint, this.key, this.clock) = (endpoint, key, clock ?? TimeProvider.System);
        address = new Uri(endpoint.Address.TrimEnd('/') + "/chat/completions");
        // Attempts are timed by whoever calls: here a time limit would cut long reasoning off.
        http = new HttpClient(GuardedConnection.CreateHandler(endpoint.Network)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <exception cref="RemoteTeacherException">No whole answer; see <see cref="RemoteTeacherException.Kind"/>.</exception>
    /// <exception cref="OperationCanceledException">Also in the middle of an answer.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var assembly = new ReplyAssembly(key);
        await foreach (var piece in PiecesAsync(messages, options, cancellationToken).ConfigureAwait(false)) assembly.Add(piece);
        return assembly.ToResponse(endpoint.Model);
    }

    /// <inheritdoc cref="GetResponseAsync"/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        UsageDetails? usage = null;
        var aside = new ReplyAssembly(key);
        await foreach (var piece in PiecesAsync(messages, options, cancellationToken).ConfigureAwait(false))
        {
            usage = piece.Usage ?? usage; // some servers count along with every piece: only the last count is the whole
            aside.Add(piece with { Reasoning = "", Content = "", Tokens = null });
            List<AIContent> contents = [];
            if (piece.Reasoning.Length > 0) contents.Add(new TextReasoningContent(Clean(piece.Reasoning)));
            if (piece.Content.Length > 0) contents.Add(new TextContent(Clean(piece.Content)));
            if (contents.Count > 0 || piece.Finish is not null)
                yield return new ChatResponseUpdate(ChatRole.Assistant, contents) { FinishReason = piece.Finish, ModelId = endpoint.Model };
        }

        List<AIContent> rest = [.. aside.Aside()];
        if (usage is not null) rest.Add(new UsageContent(usage));
        if (rest.Count > 0) yield return new ChatResponseUpdate(ChatRole.Assistant, rest) { ModelId = endpoint.Model };
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        if (serviceKey is null && serviceType == typeof(ChatClientMetadata))
            return new ChatClientMetadata("openai-compatible", address, endpoint.Model);
        return serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;
    }

    public void Dispose() => http.Dispose();

    private async IAsyncEnumerable<ReplyChunk> PiecesAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new ByteArrayContent(ChatRequestJson.Write(endpoint, messages, options)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        request.Headers.Authorization = key?.Header;
        using var response = await TransportFault
            .Named(address.Host, () => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation))
            .ConfigureAwait(false);
        var pieces = new ReplyReader(endpoint.MaxResponseBytes, key, clock).ReadAsync(response, cancellation)
            .GetAsyncEnumerator(cancellation);
        await using (pieces.ConfigureAwait(false))
        {
            while (await TransportFault.Named(address.Host, () => pieces.MoveNextAsync().AsTask()).ConfigureAwait(false))
                yield return pieces.Current;
        }
    }

    private string Clean(string text) => key?.Redact(text) ?? text;
}
