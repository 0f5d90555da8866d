namespace Distill.Generation.Onnx;

/// <summary>A dimension: a number, or a name where <see cref="Number"/> is 0; neither where it is open.</summary>
internal readonly record struct TensorDimension(long Number, string Name)
{
    // TensorShapeProto.Dimension: dim_value 1, dim_param 2.
    public void Write(ProtobufBuffer dimension)
    {
        if (Number != 0) dimension.Integer(1, Number);
        else if (Name.Length > 0) dimension.Text(2, Name);
    }
}

/// <summary>Type and shape that a graph gives for one of its values.</summary>
internal sealed record TensorTypeOutline(long ElementType, IReadOnlyList<TensorDimension> Dimensions);

/// <summary>
/// Reads a ValueInfoProto: name 1, type 2. TypeProto: tensor_type 1. TypeProto.Tensor: elem_type 1, shape 2. TensorShapeProto: dim 1.
/// </summary>
internal sealed class TensorTypeReader(ProtobufReader reader)
{
    private readonly List<TensorDimension> dimensions = [];
    private long elementType;

    /// <returns>Null for a value that is no tensor.</returns>
    public static TensorTypeOutline? Read(Stream stream, string name, GraphPiece value)
    {
        stream.Position = value.Start;
        var reader = new ProtobufReader(stream, name);
        reader.Next(value.End);
        var type = new TensorTypeReader(reader);
        type.Each(2, () => type.Each(1, type.Tensor));
        return type.elementType == 0 ? null : new TensorTypeOutline(type.elementType, type.dimensions);
    }

    /// <summary>Reads one field of the message at hand and skips the others.</summary>
    private void Each(int field, Action read)
    {
        long end = reader.Enter();
        while (reader.Next(end))
        {
            if (reader.Field == field) read();
            else reader.Skip();
        }
    }

    private void Tensor()
    {
        long end = reader.Enter();
        while (reader.Next(end))
        {
            if (reader.Field == 1) elementType = reader.Number();
            else if (reader.Field == 2) Each(1, Dimension);
            else reader.Skip();
        }
    }

    private void Dimension()
    {
        long number = 0;
        string name = "";
        long end = reader.Enter();
        while (reader.Next(end))
        {
            if (reader.Field == 1) number = reader.Number();
            else if (reader.Field == 2) name = reader.Text();
            else reader.Skip();
        }

        dimensions.Add(new TensorDimension(number, name));
    }
}
