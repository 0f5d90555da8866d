using System.Runtime.InteropServices;

namespace Distill.Generation.Onnx;

/// <summary>
/// The past and the present of a graph whose cache grows by copies: per layer two pairs of buffers that change places after every
/// run. Rows are right-aligned: shorter ones begin with zeros that the mask hides, so every row's tokens keep their
/// distances (what a sliding window counts) and the new ones follow the old. As long as the same slots are run again and were
/// only appended to, the present of a run is the next one's past as it is.
/// </summary>
internal sealed unsafe class GrowingRows : IDisposable
{
    private readonly DecoderSignature signature;
    private readonly CacheLayout layout;
    private readonly KeyValueCache cache;
    private readonly NativeBuffer<byte>[] presents; // [2 × layers], room for [rows, heads, max length, head size] each
    private readonly NativeBuffer<byte>[] pasts;
    private int first;
    private int count; // rows of the run at hand or the last one
    private int width; // tokens of the longest
    private bool kept; // a run ended well and left what the next may go on from

    /// <param name="cache">What the slots hold; kept up to date, and the source whenever other rows are run.</param>
    /// <param name="rows">Most rows of a run.</param>
    public GrowingRows(DecoderSignature signature, KeyValueCache cache, int rows, int maxLength)
    {
        this.signature = signature;
        this.cache = cache;
        layout = signature.Layout;
        long size = (long)rows * layout.KeyValueHeads * maxLength * cache.TokenBytes;
        pasts = [.. Enumerable.Range(0, cache.BufferCount).Select(_ => new NativeBuffer<byte>(size))];
        presents = [.. Enumerable.Range(0, cache.BufferCount).Select(_ => new NativeBuffer<byte>(size))];
    }

    public long Bytes => pasts.Concat(presents).Sum(buffer => buffer.Bytes);

    /// <summary>Forgets the rows if a slot is among them.</summary>
    public void Forget(int slot)
    {
        if (slot >= first && slot < first + count) kept = false;
    }

    /// <summary>Makes the past that of slots [from, from + rows).</summary>
    /// <param name="lengths">Tokens in each slot's past, [rows].</param>
    /// <returns>Tokens of the longest.</returns>
    public int Load(int from, ReadOnlySpan<int> lengths)
    {
        bool goesOn = kept && from == first && lengths.Length == count;
        kept = false;
        if (goesOn) return width;
        (first, count, width) = (from, lengths.Length, 0);
        foreach (int length in lengths) width = Math.Max(width, length);
        for (int i = 0; i < pasts.Length; i++)
        {
            byte* target = pasts[i].Pointer;
            for (int row = 0; row < count; row++)
            {
                long filled = (long)lengths[row] * cache.TokenBytes, empty = ((long)width * cache.TokenBytes) - filled;
                for (int head = 0; head < layout.KeyValueHeads; head++)
                {
                    NativeMemory.Clear(target, (nuint)empty);
                    Buffer.MemoryCopy(cache.Tokens(i, first + row, head), target + empty, filled, filled);
                    target += empty + filled;
                }
            }
        }

        return width;
    }

    /// <summary>Binds the past loaded and the present that a run of <paramref name="tokens"/> new tokens a row gives.</summary>
    public void Bind(BoundRun run, int tokens)
    {
        for (int i = 0; i < pasts.Length; i++)
        {
            var (past, present) = signature.Names.CacheNames(i);
            run.Input(past, pasts[i].View(layout.CacheType, 0, count, layout.KeyValueHeads, width, layout.HeadSize));
            run.Output(present, presents[i].View(layout.CacheType, 0, count, layout.KeyValueHeads, width + tokens, layout.HeadSize));
        }
    }

    /// <summary>After the run: hands the new tokens to the slots, and makes the present the past.</summary>
    /// <param name="lengths">Tokens of each slot's past before the run, [rows].</param>
    public void Store(ReadOnlySpan<int> lengths, int tokens)
    {
        width += tokens;
        kept = true;
        long bytes = (long)tokens * cache.TokenBytes;
        for (int i = 0; i < pasts.Length; i++)
        {
            byte* end = presents[i].Pointer; // of the row and head at hand
            for (int row = 0; row < count; row++)
            {
                for (int head = 0; head < layout.KeyValueHeads; head++)
                {
                    end += (long)width * cache.TokenBytes;
                    Buffer.MemoryCopy(
                        end - bytes, cache.Tokens(i, first + row, head) + ((long)lengths[row] * cache.TokenBytes), bytes, bytes);
                }
            }

            (pasts[i], presents[i]) = (presents[i], pasts[i]);
        }
    }

    public void Dispose()
    {
        foreach (var buffer in pasts.Concat(presents)) buffer.Dispose();
    }
}
