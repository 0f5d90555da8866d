using System.Security.Cryptography;
using Distill.Architecture;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Training;

/// <summary>A saved state that its training cannot be continued from: cut off, changed, no state at all, or another training's.</summary>
public sealed class UnusableStateException(string path, string reason, Exception? inner = null)
    : Exception($"{path} cannot be continued from: {reason}.", inner)
{
    public string Path { get; } = path;

    public string Reason { get; } = reason;
}

/// <summary>
/// Everything a training needs to continue exactly: trained values, both moments, the number of updates, the moving average, and what the
/// training itself adds. The learning rate, the data and every random number follow from the number of updates and the seed. One
/// safetensors file, flushed beside its destination and moved over it, so that a kill leaves the old state or the new; its last tensor is
/// the SHA-256 of all bytes before it. One thread.
/// </summary>
/// <param name="digest">Of what the training was given, a <see cref="TrainingDigest"/>.</param>
/// <param name="average">Null: the training keeps none.</param>
internal sealed class TrainingState(string path, string digest, ITrainedValues trained, AdamW optimizer, WeightAverage? average = null)
{
    /// <summary>What a file that cannot be continued from is renamed to.</summary>
    public const string SetAsideSuffix = ".damaged";

    private const string DigestKey = "training", Checksum = "sha256";

    /// <param name="more">What else belongs to the state; names other than those used here.</param>
    public void Save(IEnumerable<SafeTensor>? more = null)
    {
        string temporary = path + ".tmp";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
        {
            using var hashed = new HashedStream(file);
            SafeTensorsWriter.Write(
                hashed,
                [
                    TensorBytes.ToStore("weights", trained.Values),
                    TensorBytes.ToStore("first_moment", optimizer.FirstMoment),
                    TensorBytes.ToStore("second_moment", optimizer.SecondMoment),
                    SafeTensor.Integers("steps", [1], new long[] { optimizer.Steps }),
                    .. Rest(),
                    .. more ?? [],
                    new SafeTensor(Checksum, SafeTensorType.UInt8, [SHA256.HashSizeInBytes], _ => hashed.WriteHash()),
                ],
                new Dictionary<string, string> { [DigestKey] = digest });
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>
    /// Continues from the file where there is one. A file that cannot be continued from is set aside, and the training begins anew.
    /// </summary>
    /// <param name="warning">Told what was set aside and why; null: nothing is, and the exception is the caller's.</param>
    /// <param name="more">Reads what the training added.</param>
    /// <returns>Whether the training goes on where it stopped.</returns>
    /// <exception cref="UnusableStateException">
    /// Nobody wants to be warned, and the file cannot be continued from. Nothing was changed.
    /// </exception>
    public bool TryLoad(Action<string>? warning, Action<SafeTensorsFile>? more = null)
    {
        if (!File.Exists(path)) return false;
        try
        {
            Load(more);
            return true;
        }
        catch (UnusableStateException unusable) when (warning is not null)
        {
            string aside = path + SetAsideSuffix;
            File.Move(path, aside, overwrite: true);
            warning($"{unusable.Message} It is kept as {Path.GetFileName(aside)}, and the training begins anew.");
            return false;
        }
    }

    /// <summary>Updates that an unfinished training had made when it was saved; null when the file does not say.</summary>
    internal static int? StepsOf(string path)
    {
        try
        {
            using var file = SafeTensorsFile.Open(path);
            return file.Contains("steps") ? checked((int)file.ReadIntegers("steps")[0]) : null;
        }
        catch (InvalidDataException)
        {
            return null; // damaged: whoever continues it sets it aside and says so
        }
    }

    private IEnumerable<SafeTensor> Rest()
    {
        var scale = trained.LossScale;
        if (!scale.IsUntouched)
            yield return SafeTensor.Integers("loss_scale", [2], new[] { BitConverter.DoubleToInt64Bits(scale.Value), scale.Tracker });
        if (average is { IsStarted: true }) yield return TensorBytes.ToStore("average", average.Values);
    }

    private void Load(Action<SafeTensorsFile>? more)
    {
        RequireSound();
        using var without = no_grad();
        try
        {
            using var file = SafeTensorsFile.Open(path);
            if (file.Metadata.GetValueOrDefault(DigestKey) != digest)
                throw new UnusableStateException(path, "it is the state of another training, of other data, options or starting weights");
            (string Name, Tensor Target)[] vectors =
                [("weights", trained.Values), ("first_moment", optimizer.FirstMoment), ("second_moment", optimizer.SecondMoment)];
            var kept = average is not null && file.Contains("average") ? average : null;
            foreach (var (name, target) in vectors) TensorBytes.RequireFits(file, name, target); // whatever is unfit has changed nothing
            if (kept is not null) TensorBytes.RequireFits(file, "average", kept.Values);
            int steps = checked((int)file.ReadIntegers("steps")[0]);
            more?.Invoke(file);
            if (kept is not null) TensorBytes.Read(file, "average", kept.Restore());
            if (file.Contains("loss_scale") && file.ReadIntegers("loss_scale") is [var scale, var tracker])
                trained.LossScale.Restore(BitConverter.Int64BitsToDouble(scale), checked((int)tracker));
            foreach (var (name, target) in vectors) TensorBytes.Read(file, name, target);
            optimizer.Steps = steps;
        }
        catch (InvalidDataException unfit)
        {
            throw new UnusableStateException(path, unfit.Message.TrimEnd('.'), unfit);
        }
    }

    // Before anything in the file is believed: a flipped bit in a weight looks like any other weight.
    private void RequireSound()
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        long content = file.Length - SHA256.HashSizeInBytes;
        if (content <= 0) throw new UnusableStateException(path, $"it has {file.Length} bytes, which is no whole state");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 20];
        for (long left = content; left > 0;)
        {
            int read = file.ReadAtLeast(buffer.AsSpan(0, (int)Math.Min(buffer.Length, left)), 1);
            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        Span<byte> written = stackalloc byte[SHA256.HashSizeInBytes];
        file.ReadExactly(written);
        if (!written.SequenceEqual(hash.GetCurrentHash()))
            throw new UnusableStateException(
                path, "its content does not have the checksum it ends with, so it was changed, cut off or never a state");
    }

    /// <summary>Passes bytes on and keeps their hash.</summary>
    private sealed class HashedStream(Stream target) : Stream
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => target.Length;

        public override long Position
        {
            get => target.Position;
            set => throw new NotSupportedException();
        }

        public void WriteHash() => target.Write(hash.GetCurrentHash());

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            hash.AppendData(buffer);
            target.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => target.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
