using System.Net;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace Distill.Pipeline.Store.Objects;

/// <summary>
/// Files on their way into a bucket, large ones in pieces. A name follows from the content, so whoever finds an unfinished upload of it, of
/// whatever process, goes on with that. Each piece is sent with its digest.
/// </summary>
internal sealed class S3Uploads(IAmazonS3 client, string bucket, int pieceBytes)
{
    // Of the protocol: at most 10,000 pieces an upload.
    private const int MostPieces = 9_000;

    /// <param name="sha256">Of the whole content.</param>
    public void Put(string name, string path, string sha256, CancellationToken cancellation)
    {
        long length = new FileInfo(path).Length;
        if (length <= pieceBytes)
        {
            Wait(client.PutObjectAsync(
                new PutObjectRequest
                {
                    BucketName = bucket, Key = name, FilePath = path, UseChunkEncoding = false,
                    ContentType = "application/octet-stream", ChecksumSHA256 = Convert.ToBase64String(Convert.FromHexString(sha256)),
                }, cancellation));
            return;
        }

        PutInPieces(name, path, sha256, length, Math.Max(pieceBytes, (length + MostPieces - 1) / MostPieces), cancellation);
    }

    /// <summary>Gives up uploads that were begun before a time.</summary>
    public int Abandon(string prefix, DateTimeOffset before, CancellationToken cancellation)
    {
        var old = Unfinished(prefix, cancellation)
            .Where(upload => upload.Initiated is { } begun && begun.ToUniversalTime() < before).ToList();
        foreach (var upload in old)
        {
            Wait(client.AbortMultipartUploadAsync(
                new AbortMultipartUploadRequest { BucketName = bucket, Key = upload.Key, UploadId = upload.UploadId }, cancellation));
        }

        return old.Count;
    }

    private void PutInPieces(string name, string path, string sha256, long length, long size, CancellationToken cancellation)
    {
        string upload = Unfinished(name, cancellation).Where(begun => begun.Key == name).Select(begun => begun.UploadId).FirstOrDefault()
            ?? Wait(client.InitiateMultipartUploadAsync(
                new InitiateMultipartUploadRequest
                {
                    BucketName = bucket, Key = name, ChecksumAlgorithm = ChecksumAlgorithm.SHA256, ContentType = "application/octet-stream",
                }, cancellation)).UploadId;
        try
        {
            var sent = Sent(name, upload, cancellation);
            var pieces = new List<PartETag>();
            using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int number = 1; (number - 1) * size < length; number++)
            {
                long at = (number - 1) * size, bytes = Math.Min(size, length - at);
                string digest = DigestOf(path, at, bytes, whole);
                var there = sent.GetValueOrDefault(number);
                bool isSent = there is not null && there.Size == bytes && (there.ChecksumSHA256 is null || there.ChecksumSHA256 == digest);
                string tag = isSent ? there!.ETag : Send(name, upload, path, (number, at, bytes), digest, cancellation);
                pieces.Add(new PartETag(number, tag) { ChecksumSHA256 = digest });
            }

            // The server checks the pieces alone.
            if (!Convert.ToHexStringLower(whole.GetHashAndReset()).Equals(sha256, StringComparison.Ordinal))
                throw new InvalidDataException($"'{path}' is not what was committed (digest {sha256}): it was not put. Look at its disk.");
            Wait(client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = bucket, Key = name, UploadId = upload, PartETags = pieces },
                cancellation));
        }
        catch (AmazonS3Exception fault) when (fault.ErrorCode == "NoSuchUpload")
        {
            // Another process went on with the same upload and finished it.
            if (!IsThere(name, length, cancellation)) throw;
        }
    }

    private string Send(
        string name, string upload, string path, (int Number, long At, long Bytes) piece, string digest, CancellationToken cancellation) =>
        Wait(client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = bucket, Key = name, UploadId = upload, PartNumber = piece.Number, FilePath = path, FilePosition = piece.At,
                PartSize = piece.Bytes, UseChunkEncoding = false, ChecksumSHA256 = digest,
            }, cancellation)).ETag;

    private Dictionary<int, PartDetail> Sent(string name, string upload, CancellationToken cancellation)
    {
        var sent = new Dictionary<int, PartDetail>();
        var request = new ListPartsRequest { BucketName = bucket, Key = name, UploadId = upload };
        while (true)
        {
            var page = Wait(client.ListPartsAsync(request, cancellation));
            foreach (var piece in page.Parts ?? [])
            {
                if (piece.PartNumber is { } number) sent[number] = piece;
            }

            if (page.IsTruncated is not true) return sent;
            request.PartNumberMarker = page.NextPartNumberMarker?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private IEnumerable<MultipartUpload> Unfinished(string prefix, CancellationToken cancellation)
    {
        var request = new ListMultipartUploadsRequest { BucketName = bucket, Prefix = prefix };
        while (true)
        {
            var page = Wait(client.ListMultipartUploadsAsync(request, cancellation));
            foreach (var upload in page.MultipartUploads ?? []) yield return upload;
            if (page.IsTruncated is not true) yield break;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    private bool IsThere(string name, long length, CancellationToken cancellation)
    {
        try
        {
            return Wait(client.GetObjectMetadataAsync(
                new GetObjectMetadataRequest { BucketName = bucket, Key = name }, cancellation)).ContentLength == length;
        }
        catch (AmazonS3Exception fault) when (fault.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private static string DigestOf(string path, long at, long bytes, IncrementalHash whole)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        file.Position = at;
        byte[] buffer = new byte[1 << 17];
        for (long left = bytes; left > 0;)
        {
            int count = file.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (count == 0) throw new InvalidDataException($"'{path}' became shorter while it was being uploaded.");
            digest.AppendData(buffer, 0, count);
            whole.AppendData(buffer, 0, count);
            left -= count;
        }

        return Convert.ToBase64String(digest.GetHashAndReset());
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
