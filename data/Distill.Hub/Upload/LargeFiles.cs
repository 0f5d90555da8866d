using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Hub.Download;
using Distill.Hub.Network;
using Distill.Storage;

namespace Distill.Hub.Upload;

/// <summary>
/// git's large files to the Hub's storage (git-lfs, docs/api/batch.md): in one request each, or in the parts that the Hub asks for. Nobody
/// sees them until a commit names them, and what the storage has already is not sent.
/// </summary>
internal sealed class LargeFiles(
    HubConnection connection, HubInterface hub, HubRetry retry, HubReference what, HubOptions options, TimeProvider clock,
    TransferMeter meter)
{
    private const int MostAtOnce = 100;

    private const string MediaType = "application/vnd.git-lfs+json";

    public async Task SendAsync(IReadOnlyList<LocalFile> files, CancellationToken cancellation)
    {
        // One file under two names is one object.
        foreach (var chunk in files.GroupBy(file => file.Sha256).Select(same => same.First()).Chunk(MostAtOnce))
        {
            var actions = await AskAsync(chunk, cancellation).ConfigureAwait(false);
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellation };
            await Parallel.ForEachAsync(chunk, parallel, async (file, token) =>
            {
                if (actions.TryGetValue(file.Sha256, out var action) && action is not null)
                    await SendAsync(file, action, token).ConfigureAwait(false);
                else meter.Add(file.Size, isReceived: false);
                meter.Finish();
            }).ConfigureAwait(false);
        }
    }

    /// <returns>By digest, what to do; null for what the storage has.</returns>
    private async Task<Dictionary<string, JsonObject?>> AskAsync(LocalFile[] files, CancellationToken cancellation)
    {
        var asked = new JsonObject
        {
            ["operation"] = "upload",
            ["transfers"] = new JsonArray("basic", "multipart"),
            ["hash_algo"] = "sha256",
            ["ref"] = new JsonObject { ["name"] = what.RevisionOrMain },
            ["objects"] = new JsonArray([.. files.Select(file => new JsonObject { ["oid"] = file.Sha256, ["size"] = file.Size })]),
        };
        var answer = await hub.AskAsync(hub.LargeFilesOf(what), asked, what, cancellation, MediaType)
            .ConfigureAwait(false);
        if (answer?["objects"] is not JsonArray objects) throw Malformed();
        var actions = new Dictionary<string, JsonObject?>();
        foreach (var entry in objects.OfType<JsonObject>())
        {
            if (entry["error"] is JsonObject error)
                throw new HubException(HubFault.Refused, $"The Hub's storage refuses a file of {what.Repository}: "
                    + $"{Printable.Quote(TextOf(error["message"]))}.");
            actions[TextOf(entry["oid"])] = entry["actions"] as JsonObject;
        }

        return files.All(file => actions.ContainsKey(file.Sha256)) ? actions : throw Malformed();
    }

    private async Task SendAsync(LocalFile file, JsonObject actions, CancellationToken cancellation)
    {
        if (actions["upload"] is not JsonObject upload) throw Malformed();
        var address = connection.Named(TextOf(upload["href"]), connection.At("/"));
        var header = upload["header"] as JsonObject ?? [];
        if (header["chunk_size"] is { } size)
        {
            if (!long.TryParse(size.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out long partSize) || partSize == 0)
                throw Malformed();
            await SendPartsAsync(file, address, header, partSize, cancellation).ConfigureAwait(false);
        }
        else await PutAsync(file, address, header, 0, file.Size, cancellation).ConfigureAwait(false);

        if (actions["verify"] is not JsonObject verify) return;
        var proof = new JsonObject { ["oid"] = file.Sha256, ["size"] = file.Size };
        await hub.AskAsync(connection.Named(TextOf(verify["href"]), connection.At("/")), proof, what, cancellation, MediaType)
            .ConfigureAwait(false);
    }

    private async Task SendPartsAsync(LocalFile file, Uri completion, JsonObject header, long partSize, CancellationToken cancellation)
    {
        var addresses = header.Where(pair => pair.Key.All(char.IsAsciiDigit))
            .OrderBy(pair => int.Parse(pair.Key, CultureInfo.InvariantCulture)).Select(pair => TextOf(pair.Value)).ToList();
        if (addresses.Count != (file.Size + partSize - 1) / partSize) throw Malformed();
        var parts = new JsonArray();
        foreach (var (index, address) in addresses.Index())
        {
            long from = index * partSize;
            var part = connection.Named(address, connection.At("/"));
            string etag = await PutAsync(file, part, [], from, Math.Min(partSize, file.Size - from), cancellation).ConfigureAwait(false);
            parts.Add(new JsonObject { ["partNumber"] = index + 1, ["etag"] = etag.Length > 0 ? etag : throw Malformed() });
        }

        var whole = new JsonObject { ["oid"] = file.Sha256, ["parts"] = parts };
        await hub.AskAsync(completion, whole, what, cancellation, MediaType).ConfigureAwait(false);
    }

    /// <returns>The storage's ETag; empty when it gives none.</returns>
    private Task<string> PutAsync(LocalFile file, Uri address, JsonObject header, long from, long length, CancellationToken cancellation) =>
        retry.RunAsync(async token =>
        {
            long sent = 0;
            void Count(long bytes)
            {
                sent += bytes;
                meter.Add(bytes, isReceived: true);
            }

            try
            {
                using var answer = await connection.SendAsync(address, to => Put(to), token).ConfigureAwait(false);
                HubFaults.ThrowIfRefused(answer, what with { Path = file.Path }, options, clock);
                return HubFaults.HeaderOf(answer, "ETag");
            }
            catch (HubException)
            {
                meter.Add(-sent, isReceived: true);
                throw;
            }

            HttpRequestMessage Put(Uri to)
            {
                var content = new SentContent(length, (stream, cancelled) => file.CopyAsync(stream, from, length, Count, cancelled));
                var request = HubInterface.Request(HttpMethod.Put, to, content, null);
                foreach (var (name, value) in header)
                {
                    if (!request.Headers.TryAddWithoutValidation(name, TextOf(value)))
                        content.Headers.TryAddWithoutValidation(name, TextOf(value));
                }

                return request;
            }
        }, cancellation);

    private static string TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    private HubException Malformed() =>
        new(HubFault.BadAnswer, $"{options.Endpoint.Host} does not say how large files are sent as a Hub does. Is HF_ENDPOINT right?");
}
