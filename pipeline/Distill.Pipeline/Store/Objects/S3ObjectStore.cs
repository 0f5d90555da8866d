using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Store.Objects;

/// <summary>
/// A bucket of Amazon S3 or of a server that speaks its protocol, with conditional writes. The SDK finds endpoint and credentials and tries
/// again what may succeed; digests are sent along for the server to check. Thread-safe; the creator disposes it.
/// </summary>
/// <param name="pieceBytes">Larger files go up in pieces of about so many, which are kept when an upload is interrupted.</param>
internal sealed class S3ObjectStore(IAmazonS3 client, SharedStoreAddress address, int pieceBytes = S3ObjectStore.UsualPiece) : IObjectStore
{
    public const int UsualPiece = 32 << 20;

    private const int Tries = 5, CopyBuffer = 1 << 17;

    private const string AnyVersion = "*", DefaultRegion = "us-east-1";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10), Pause = TimeSpan.FromMilliseconds(200);

    private readonly S3Uploads uploads = new(client, address.Bucket, pieceBytes);

    private readonly string root = address.Prefix.Length == 0 ? "" : address.Prefix + "/";

    public string Place { get; } = address.ToString();

    /// <param name="environment">Value of a variable; null where it is not set.</param>
    public static S3ObjectStore Open(SharedStoreAddress address, Func<string, string?> environment)
    {
        var options = new AmazonS3Config
        {
            // What servers other than Amazon's know: digests that we send ourselves, no trailing ones.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            RetryMode = RequestRetryMode.Standard, Timeout = Patience,
        };
        if (Named("AWS_MAX_ATTEMPTS") is null) options.MaxErrorRetry = Tries;
        if ((Named("AWS_ENDPOINT_URL_S3") ?? Named("AWS_ENDPOINT_URL")) is { } endpoint)
        {
            (options.ServiceURL, options.ForcePathStyle) = (endpoint, true);
            options.AuthenticationRegion = Named("AWS_REGION") ?? Named("AWS_DEFAULT_REGION") ?? DefaultRegion;
        }

        try
        {
            return new S3ObjectStore(new AmazonS3Client(options), address);
        }
        catch (Exception fault) when (fault is AmazonClientException or UriFormatException)
        {
            throw S3Faults.Of(fault, "open", address.ToString());
        }

        string? Named(string variable) => environment(variable) is { Length: > 0 } value ? value : null;
    }

    public StoredObject? Look(string name, CancellationToken cancellation) => Ask("look at", name, () =>
    {
        var found = Wait(client.GetObjectMetadataAsync(
            new GetObjectMetadataRequest { BucketName = address.Bucket, Key = root + name }, cancellation));
        return new StoredObject(name, found.ContentLength, Time(found.LastModified));
    });

    public bool TryPut(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        for (int tried = 1; ; tried++)
        {
            try
            {
                Send(name, content, AnyVersion, cancellation);
                return true;
            }
            catch (AmazonS3Exception fault) when (fault.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                return false;
            }
            catch (AmazonS3Exception fault) when (fault.StatusCode == HttpStatusCode.Conflict && tried < Tries)
            {
                cancellation.WaitHandle.WaitOne(Pause * tried); // another put of the name is on its way: ask again which one won
            }
            catch (Exception fault) when (S3Faults.IsOne(fault))
            {
                throw S3Faults.Of(fault, "put", $"{Place}/{name}");
            }
        }
    }

    public void Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        Do("put", name, () => Send(name, content, condition: null, cancellation));

    public void PutFile(string name, string path, string sha256, CancellationToken cancellation) =>
        Do("put", name, () => uploads.Put(root + name, path, sha256, cancellation));

    public byte[]? Read(string name, int most, CancellationToken cancellation)
    {
        using var read = new MemoryStream();
        if (!CopyTo(name, 0, (long)most + 1, read, cancellation)) return null;
        return read.Length <= most ? read.ToArray()
            : throw new InvalidDataException($"'{Place}/{name}' has more than {most} bytes.");
    }

    public bool CopyTo(string name, long offset, long most, Stream target, CancellationToken cancellation)
    {
        var piece = new Piece(offset, offset + most);
        for (int tried = 1; piece.At < piece.End; tried++)
        {
            long before = piece.At;
            var cut = Ask("read", name, () => Copy(name, piece, target, cancellation));
            if (cut is null) return false;
            if (cut.Fault is null) return true;
            if (piece.At > before) tried = 1; // it goes on
            if (tried >= Tries) throw S3Faults.Of(cut.Fault, "read", $"{Place}/{name}");
            cancellation.WaitHandle.WaitOne(Pause * tried);
        }

        return true;
    }

    public IEnumerable<StoredObject> List(string prefix, CancellationToken cancellation)
    {
        var request = new ListObjectsV2Request { BucketName = address.Bucket, Prefix = root + prefix };
        while (true)
        {
            var page = Ask("list", prefix, () => Wait(client.ListObjectsV2Async(request, cancellation)))
                ?? throw S3Faults.NoBucket(address);
            foreach (var found in page.S3Objects ?? [])
                yield return new StoredObject(found.Key[root.Length..], found.Size ?? 0, Time(found.LastModified));
            if (page.IsTruncated is not true) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public void Delete(string name, CancellationToken cancellation) => Ask("delete", name, () =>
        Wait(client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = address.Bucket, Key = root + name }, cancellation)));

    public int AbandonUploads(DateTimeOffset before, CancellationToken cancellation) =>
        Ask("look for uploads of", ObjectNames.Objects, () => uploads.Abandon(root + ObjectNames.Objects, before, cancellation));

    public void Dispose() => client.Dispose();

    private void Send(string name, ReadOnlyMemory<byte> content, string? condition, CancellationToken cancellation)
    {
        byte[] bytes = content.ToArray();
        using var body = new MemoryStream(bytes, writable: false);
        Wait(client.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = address.Bucket, Key = root + name, InputStream = body, AutoCloseStream = false, IfNoneMatch = condition,
                UseChunkEncoding = false, ChecksumSHA256 = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(bytes)),
            }, cancellation));
    }

    // A body that is cut is begun anew from where it was cut; only what the target says of itself is the caller's.
    private Cut Copy(string name, Piece piece, Stream target, CancellationToken cancellation)
    {
        using var got = Wait(client.GetObjectAsync(
            new GetObjectRequest
            {
                BucketName = address.Bucket, Key = root + name, ByteRange = new ByteRange(piece.At, piece.End - 1),
            }, cancellation));
        byte[] buffer = new byte[CopyBuffer];
        while (piece.At < piece.End)
        {
            int count;
            try
            {
                count = Wait(got.ResponseStream.ReadAsync(
                    buffer.AsMemory(0, (int)Math.Min(buffer.Length, piece.End - piece.At)), cancellation).AsTask());
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException or AmazonClientException)
            {
                return new Cut(fault);
            }

            if (count == 0) return new Cut(null);
            target.Write(buffer, 0, count);
            piece.At += count;
        }

        return new Cut(null);
    }

    private void Do(string what, string name, Action act)
    {
        try
        {
            act();
        }
        catch (Exception fault) when (S3Faults.IsOne(fault))
        {
            throw S3Faults.Of(fault, what, $"{Place}/{name}");
        }
    }

    // Null where there is no such object.
    private T? Ask<T>(string what, string name, Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (AmazonS3Exception fault) when (fault.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable
            && fault.ErrorCode != "NoSuchBucket")
        {
            return default;
        }
        catch (Exception fault) when (S3Faults.IsOne(fault))
        {
            throw S3Faults.Of(fault, what, $"{Place}/{name}");
        }
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult(); // one thread works, and there is nothing else for it to do

    private static DateTimeOffset Time(DateTime? changed) =>
        changed is { } time ? new DateTimeOffset(time.ToUniversalTime()) : DateTimeOffset.MaxValue; // unknown is never old

    private sealed class Piece(long at, long end)
    {
        public long At { get; set; } = at;

        public long End => end;
    }

    private sealed record Cut(Exception? Fault);
}
