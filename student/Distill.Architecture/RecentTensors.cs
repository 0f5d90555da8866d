namespace Distill.Architecture;

/// <summary>
/// The tensors that were asked for last: as many as one operation reads together (queries, keys and values lie side by side in the matrix
/// that is written). Safe from any thread; one reads at a time.
/// </summary>
/// <param name="read">All values of a parameter.</param>
internal sealed class RecentTensors(DecoderArchitecture architecture, Func<ParameterSpec, ReadOnlyMemory<float>> read)
{
    private const int Most = 3;
    private const long MostBytesOfOthers = 256 << 20; // beside the newest, which may be an embedding of gigabytes
    private const long MostBytesLetGo = 64 << 20;
    private readonly Lock gate = new();
    private readonly Dictionary<string, ParameterSpec> specs = ParameterMap.For(architecture).ToDictionary(spec => spec.Name);
    private readonly LinkedList<(string Name, ReadOnlyMemory<float> Values)> recent = []; // the newest first
    private long letGo; // bytes that were read and are not kept, since the collector last ran for them

    /// <exception cref="KeyNotFoundException">The architecture has no such parameter.</exception>
    public ReadOnlyMemory<float> Read(string name)
    {
        lock (gate)
        {
            for (var known = recent.First; known is not null; known = known.Next)
            {
                if (known.Value.Name != name) continue;
                recent.Remove(known);
                recent.AddFirst(known);
                return known.Value.Values;
            }

            var spec = specs[name];
            MakeRoom();
            var values = read(spec);
            recent.AddFirst((name, values));
            return values;
        }
    }

    private void MakeRoom()
    {
        while (recent.Count >= Most || recent.Sum(tensor => BytesOf(tensor.Values)) > MostBytesOfOthers)
        {
            letGo += BytesOf(recent.Last!.Value.Values);
            recent.RemoveLast();
        }

        // Nothing is there to be disposed: arrays may still be read by whoever asked for them. On a machine with much memory the collector
        // would wait until most of the model has gone through it.
        if (letGo < MostBytesLetGo) return;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
        letGo = 0;
    }

    private static long BytesOf(ReadOnlyMemory<float> values) => (long)values.Length * sizeof(float);
}
